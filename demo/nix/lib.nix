# The few functions of nixpkgs' lib that the fixture needs.
rec {
  inherit (builtins) attrNames concatMap concatStringsSep filter foldl' isAttrs isList listToAttrs mapAttrs stringLength substring;

  toList = value: if isList value then value else [ value ];

  # null when the name does not end so.
  removeSuffix = suffix: name:
    let rest = stringLength name - stringLength suffix;
    in if rest >= 0 && substring rest (-1) name == suffix then substring 0 rest name else null;

  # Merges deeply, the right side wins; a null takes the attribute away.
  merge = left: right:
    if isAttrs left && isAttrs right && left.type or null != "derivation"
    then left // mapAttrs (name: value: if left ? ${name} then merge left.${name} value else value) right
    else right;

  present = attrs: removeAttrs attrs (filter (name: attrs.${name} == null) (attrNames attrs));

  # One unit file: capitalised attributes are its sections, a list repeats a key.
  unitText = unit:
    concatStringsSep "\n" (concatMap
      (section:
        let
          keys = if unit ? ${section} then present unit.${section} else { };
          line = key: value: "${key}=${if value == true then "true" else if value == false then "false" else toString value}\n";
        in
        if keys == { } then [ ]
        else [ ("[${section}]\n" + concatStringsSep "" (concatMap (key: map (line key) (toList keys.${key})) (attrNames keys))) ])
      [ "Unit" "Service" "Socket" "Timer" "Mount" "Automount" "Swap" "Path" ]);
}
