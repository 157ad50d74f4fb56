//! What the firewall of a running system lets in, by the rules that it loads:
//! for a system whose configuration nobody here evaluated.
//!
//! The rules are those of nixpkgs' `firewall-iptables.nix` (a script of
//! `ip46tables -A nixos-fw …`) and `firewall-nftables.nix` (a table `nixos-fw`
//! with the chain `input-allow`). Rules that a person added in other words say
//! nothing here.

use super::exposure::Firewall;

/// A firewall by the rules of its unit; `None` for a rule set that is not of
/// NixOS' firewall.
pub(super) fn packet_filter(rules: &str) -> Option<Firewall> {
    let mut firewall = Firewall { enable: Some(true), ..Firewall::default() };
    let mut chain = "";
    let mut is_ours = false;
    for line in rules.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches(['{', ' ']);
        }
        is_ours |= line.contains("nixos-fw") || chain == "input-allow";
        match chain {
            "" => iptables(line, &mut firewall),
            "input" | "input-allow" => nftables(line, &mut firewall),
            _ => {}
        }
    }
    is_ours.then_some(firewall)
}

/// `ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept`, with `-i` for
/// one interface.
fn iptables(line: &str, firewall: &mut Firewall) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after =
        |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
    if after("-A") != Some("nixos-fw") || after("-j") != Some("nixos-fw-accept") {
        return;
    }
    match (after("-i"), after("-p"), after("--dport")) {
        (Some(interface), None, None) => firewall.trusted.push(interface.to_owned()),
        (None, Some(protocol), Some(ports)) if after("-s").is_none() && after("-d").is_none() => {
            open(firewall, protocol, ports, ':');
        }
        _ => {}
    }
}

/// `tcp dport { 22, 8000-8010 } accept`, with `iifname` for one interface.
fn nftables(line: &str, firewall: &mut Firewall) {
    let Some(rule) = line.split(" accept").next().filter(|_| line.contains(" accept")) else { return };
    let set = |text: &str| -> Vec<String> {
        let text = text.trim().trim_start_matches('{').trim_end_matches('}');
        text.split(',')
            .map(|part| part.trim().trim_matches('"').to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    for protocol in ["tcp", "udp"] {
        if let Some(ports) =
            rule.strip_prefix(protocol).and_then(|rest| rest.trim_start().strip_prefix("dport "))
        {
            set(ports).iter().for_each(|port| open(firewall, protocol, port, '-'));
        }
    }
    if let Some(interfaces) = rule.strip_prefix("iifname ").filter(|rest| !rest.contains("dport")) {
        firewall.trusted.extend(set(interfaces));
    }
}

/// Notes a port or a range of ports.
fn open(firewall: &mut Firewall, protocol: &str, ports: &str, between: char) {
    let (single, ranges) = match protocol {
        "tcp" => (&mut firewall.tcp, &mut firewall.tcp_ranges),
        "udp" => (&mut firewall.udp, &mut firewall.udp_ranges),
        _ => return,
    };
    match ports.split_once(between) {
        Some((from, to)) => {
            if let (Ok(from), Ok(to)) = (from.trim().parse(), to.trim().parse()) {
                ranges.push((from, to));
            }
        }
        None => single.extend(ports.parse::<u16>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_iptables_says_what_is_open() {
        let firewall = packet_filter(
            "ip46tables -D INPUT -j nixos-fw 2> /dev/null || true\n\
             ip46tables -A nixos-fw-accept -j ACCEPT\n\
             iptables -t mangle -A nixos-fw-rpfilter -p udp --sport 67 --dport 68 -j RETURN\n\
             \x20   ip46tables -A nixos-fw -i lo -j nixos-fw-accept\n\
             ip46tables -A nixos-fw -i ve-+ -p udp --dport 67 -j nixos-fw-accept\n\
             ip46tables -A nixos-fw -p tcp --dport 22 -j nixos-fw-accept \n\
             ip46tables -A nixos-fw -p tcp --dport 5432 -j nixos-fw-accept -i wg0\n\
             ip46tables -A nixos-fw -p udp --dport 60000:61000 -j nixos-fw-accept \n\
             ip6tables -A nixos-fw -d fe80::/64 -p udp --dport 546 -j nixos-fw-accept\n",
        );
        let expected = Firewall {
            enable: Some(true),
            tcp: vec![22],
            udp_ranges: vec![(60000, 61000)],
            trusted: vec!["lo".to_owned()],
            ..Firewall::default()
        };
        assert_eq!(firewall, Some(expected));
    }

    #[test]
    fn the_table_of_nftables_says_what_is_open() {
        let firewall = packet_filter(
            "table inet nixos-fw {\n\
             chain rpfilter {\n meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept comment \"DHCPv4\"\n}\n\
             chain input {\n iifname { \"lo\", \"wg0\" } accept comment \"trusted interfaces\"\n}\n\
             chain input-allow {\n\
             \x20 tcp dport { 22, 8000-8010 } accept\n\
             \x20 iifname eth1 udp dport { 53 } accept\n\
             \x20 udp dport { 5353 } accept\n\
             \x20 ip6 daddr fe80::/64 udp dport 546 accept comment \"DHCPv6 client\"\n}\n\
             chain output-allow {\n tcp dport { 443 } accept\n}\n}\n",
        );
        let expected = Firewall {
            enable: Some(true),
            tcp: vec![22],
            tcp_ranges: vec![(8000, 8010)],
            udp: vec![5353],
            trusted: vec!["lo".to_owned(), "wg0".to_owned()],
            ..Firewall::default()
        };
        assert_eq!(firewall, Some(expected));
    }

    #[test]
    fn rules_of_somebody_else_say_nothing() {
        assert_eq!(packet_filter("table inet mine {\nchain x {\n tcp dport 22 accept\n}\n}\n"), None);
        assert_eq!(packet_filter(""), None);
    }
}
