//! What the command says: the page of facts at the start, and the summary of a checked file.

use std::fmt::Write as _;
use std::path::Path;

use entra_emulator::{Emulator, Registrations, ids};

/// Addresses, trust, tenants; for the sample also its ids.
pub(crate) fn facts(emulator: &Emulator, ca_file: &Path, sample: bool) -> String {
    let (authority, graph, ca) = (emulator.authority_url(), emulator.graph_url(), ca_file.display());
    let mut facts = format!(
        "This is an EMULATOR of Microsoft Entra ID and Microsoft Graph. It is not Microsoft.\n\
         Never let a production service trust it: anybody who reaches it can sign in as anybody.\n\n\
         Login    {authority}\n\
         Graph    {graph}/v1.0\n\
         Page     {authority}/\n\
         Admin    {authority}/emulator/  (faults, clock, keys, tokens; JSON)\n\
         CA file  {ca}\n",
    );
    facts.push_str(&machine(emulator));
    for tenant in &emulator.registrations().tenants {
        let metadata = format!("{authority}/{}/v2.0/.well-known/openid-configuration", tenant.id);
        facts.push_str(&format!("Tenant   {} ({})\n         {metadata}\n", tenant.id, tenant.name));
    }
    if sample {
        facts.push_str(&format!(
            "API      {}  Valet, scope {}/{}, secret {}\n\
             Client   {}  Valet demo client, redirect http://localhost (any port)\n\
             Users    {}, {}; no password\n",
            ids::VALET,
            ids::VALET_URI,
            ids::VALET_SCOPE,
            ids::VALET_SECRET,
            ids::DEMO_CLIENT,
            ids::ADELE_UPN,
            ids::ALEX_UPN,
        ));
    }
    facts.push_str(&trust(&ca.to_string()));
    facts.push_str("\nCtrl-C ends it.\n");
    facts
}

/// What stands beside login and Graph: managed identities and vaults.
fn machine(emulator: &Emulator) -> String {
    let mut facts = String::new();
    if let (Some(imds), Some(app_service), Some(secret)) =
        (emulator.imds_url(), emulator.identity_endpoint(), emulator.identity_header())
    {
        facts.push_str(&format!(
            "IMDS     {imds} (AZURE_POD_IDENTITY_AUTHORITY_HOST)\n\
             App Svc  IDENTITY_ENDPOINT={app_service} IDENTITY_HEADER={secret}\n"
        ));
    }
    let all = emulator.registrations();
    for app in all.managed_identities.iter().filter_map(|identity| all.app(identity.app)) {
        let object_id = emulator.object_id(app.client_id, app.tenant);
        facts.push_str(&format!("Identity {}  {}, object id {object_id}\n", app.client_id, app.name));
    }
    for vault in &all.vaults {
        facts.push_str(&format!("Vault    {}\n", emulator.vault_url(&vault.name)));
    }
    facts
}

/// The variables by which clients are told to trust a further authority.
fn trust(ca: &str) -> String {
    // A path with a quote in it is quoted the way POSIX shells want it.
    let ca = format!("'{}'", ca.replace('\'', r"'\''"));
    let lines =
        [("REQUESTS_CA_BUNDLE", "Python"), ("SSL_CERT_FILE", "OpenSSL, Go"), ("NODE_EXTRA_CA_CERTS", "Node")];
    let mut text = "\nLet clients trust it, in their shell and nowhere else:\n".to_owned();
    for (variable, who) in lines {
        text.push_str(&format!("  export {variable}={ca}  # {who}\n"));
    }
    text
}

/// What a registrations file holds.
pub(crate) fn summary(file: &Path, all: &Registrations) -> String {
    let mut summary = format!("{}: in order\n", file.display());
    for tenant in &all.tenants {
        let users = all.users.iter().filter(|u| u.tenant == tenant.id).count();
        let apps: Vec<_> =
            all.apps.iter().filter(|a| a.tenant == tenant.id).map(|a| a.name.as_str()).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            summary,
            "Tenant   {} ({}, {})\n         {users} users; apps: {}",
            tenant.id,
            tenant.name,
            tenant.domain,
            if apps.is_empty() { "none".to_owned() } else { apps.join(", ") },
        );
    }
    let rest = [
        ("groups", all.groups.len()),
        ("policies", all.conditional_access.len()),
        ("managed identities", all.managed_identities.len()),
        ("vaults", all.vaults.len()),
        ("planned faults", all.faults.len()),
    ];
    let rest: Vec<_> = rest.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}")).collect();
    if !rest.is_empty() {
        let _ = writeln!(summary, "Also     {}", rest.join(", "));
    }
    summary
}
