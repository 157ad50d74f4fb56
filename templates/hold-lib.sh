# Tells the supervisor of RUN that the deployer is there: it waits for the word HOLD
# seconds from now on, if that is longer than it would.
# Input: RUN HOLD
ask_for_time() {
    [ -d "/run/nix-deploy/$RUN" ] || return 0
    printf '%s\n' "$HOLD" >"/run/nix-deploy/$RUN/hold.new" &&
        mv -f "/run/nix-deploy/$RUN/hold.new" "/run/nix-deploy/$RUN/hold"
}
