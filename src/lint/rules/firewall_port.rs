//! `firewall-port`: ports that are open on every interface.

use crate::lint::file::File;
use crate::lint::found::{Found, Hit};
use crate::lint::rule::Rule;
use crate::lint::tree::Kind;
use crate::lint::{Layer, RuleInfo, Sample};
use crate::model::Severity;

pub(crate) struct FirewallPort;

static INFO: RuleInfo = RuleInfo {
    layer: Layer::Both,
    why: "An open port is a decision that should be seen. Services that give away data or the machine to whoever \
          reaches them (databases, Docker, SMB, VNC, RDP) are a warning: open them on one interface \
          (`networking.firewall.interfaces.NAME`) or through a tunnel.",
    source: "https://nixos.org/manual/nixos/stable/options#opt-networking.firewall.allowedTCPPorts",
    bad: &[
        Sample::new("{ networking.firewall.allowedTCPPorts = [ 5432 ]; }"),
        Sample::new(
            "{ lib, ... }: { networking.firewall = lib.mkIf true { allowedTCPPorts = [ 80 443 ] ++ [ 2375 ]; }; }",
        ),
        Sample::new("{ networking.firewall.allowedUDPPorts = [ 53 ]; }"),
    ],
    good: &[
        Sample::new("{ networking.firewall.interfaces.eth1.allowedTCPPorts = [ 5432 ]; }"),
        Sample::noted(
            "an expression is not known",
            "{ config, ... }: { networking.firewall.allowedTCPPorts = [ config.x.port ]; }",
        ),
        Sample::new("{ networking.firewall.allowedTCPPorts = [ ]; }"),
    ],
    ..RuleInfo::new("firewall-port", Severity::Warning, "a port that is open on every interface")
};

/// Well-known ports (IANA, or the project's default) of services that should
/// not face a network.
const LOUD: &[(i64, &str)] = &[
    (23, "Telnet"),
    (111, "rpcbind"),
    (137, "NetBIOS"),
    (138, "NetBIOS"),
    (139, "SMB"),
    (445, "SMB"),
    (512, "rexec"),
    (513, "rlogin"),
    (514, "rsh"),
    (873, "rsync"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2049, "NFS"),
    (2375, "Docker without TLS"),
    (2376, "Docker"),
    (2379, "etcd"),
    (2380, "etcd"),
    (3306, "MySQL"),
    (3389, "RDP"),
    (5432, "PostgreSQL"),
    (5601, "Kibana"),
    (5900, "VNC"),
    (5901, "VNC"),
    (5902, "VNC"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (7000, "Cassandra"),
    (8086, "InfluxDB"),
    (9042, "Cassandra"),
    (9200, "Elasticsearch"),
    (9300, "Elasticsearch"),
    (10250, "kubelet"),
    (11211, "memcached"),
    (27017, "MongoDB"),
];

impl Rule for FirewallPort {
    fn info(&self) -> &'static RuleInfo {
        &INFO
    }

    fn file(&self, file: &File<'_>, found: &mut Found<'_>) {
        let settings = file.settings();
        let protocols =
            [("networking.firewall.allowedTCPPorts", "TCP"), ("networking.firewall.allowedUDPPorts", "UDP")];
        for (path, protocol) in protocols {
            for setting in settings.find(path) {
                let Some(value) = setting.value else { continue };
                let module = settings.module(setting);
                let quiet = module.guest || file.is_test() || (module.declares && setting.around.conditional);
                let mut others = Vec::new();
                for item in file.tree.items(value) {
                    let item = file.tree.bare(item);
                    if !matches!(file.tree.kind(item), Kind::Integer) {
                        continue;
                    }
                    let Ok(port) = file.tree.source(item).parse::<i64>() else { continue };
                    let service = LOUD.iter().find(|(loud, _)| *loud == port).filter(|_| !quiet);
                    match service {
                        Some((_, service)) => found.push(
                            Hit::new(
                                &INFO,
                                file.tree.span(item),
                                format!("{protocol} port {port} ({service}) is open on every interface"),
                            )
                            .guest_severity(Severity::Information)
                            .subject(format!("{path}.{port}"))
                            .mend("open it with networking.firewall.interfaces.NAME, or use a tunnel"),
                        ),
                        None => others.push(port.to_string()),
                    }
                }
                if !others.is_empty() && !quiet {
                    let noun = if others.len() == 1 { "port" } else { "ports" };
                    let shown = others.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
                    let more = if others.len() > 12 { ", …" } else { "" };
                    let message = format!("{protocol} {noun} {shown}{more} open on every interface");
                    found.push(
                        Hit::new(&INFO, setting.span, message).severity(Severity::Information).subject(path),
                    );
                }
            }
        }
    }
}
