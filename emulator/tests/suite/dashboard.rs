//! The page at `/`: everything registered is there, nothing secret is, and text stays text.

use entra_emulator::{Options, Registrations, SAMPLE_TOML, ids};

use crate::bench::Bench;
use crate::browser::Browser;

#[tokio::test]
async fn it_shows_what_is_registered_and_no_secret() {
    let more = format!(
        "{SAMPLE_TOML}\n[[groups]]\nid = \"7e57d000-0000-4000-8000-000000000001\"\ntenant = \"{tenant}\"\n\
         display_name = \"Store managers\"\nmembers = [\"{adele}\"]\n\
         [[conditional_access]]\nname = \"Second factor for Valet\"\ntenant = \"{tenant}\"\nresources = [\"{valet}\"]\n\
         control = \"mfa\"\n[[vaults]]\nname = \"contoso-vault\"\ntenant = \"{tenant}\"\n\
         secrets = {{ signing = \"vault-value\" }}\n\
         [[users]]\nid = \"7e57b000-0000-4000-8000-000000000011\"\ntenant = \"{tenant}\"\n\
         user_principal_name = \"grady@contoso.example\"\ndisplay_name = \"<img src=x>\"\npassword = \"open sesame\"\n",
        tenant = ids::TENANT,
        adele = ids::ADELE,
        valet = ids::VALET,
    );
    let registrations = Registrations::from_toml(&more).unwrap();
    let bench = Bench::start_with(Options { registrations, ..Options::default() }).await;
    let url = format!("{}/", bench.emulator.authority_url());
    let page = Browser::new(&bench).get(&url, &[]).await;
    assert_eq!(page.status, 200);
    for text in [
        "not Microsoft",
        "Contoso",
        "fabrikam.example",
        "Adele Vance",
        "Operator at Valet",
        "Store managers",
        "api://ledger.contoso.example",
        "entries.read",
        "http://localhost/auth/callback",
        "1 secret",
        "Second factor for Valet",
        "AADSTS50076",
        "contoso-vault",
        "signing",
        "&lt;img src=x&gt;",
        bench.emulator.signing_kid().as_str(),
    ] {
        assert!(page.has(text), "{text} is missing in {}", page.html);
    }
    for text in [
        ids::VALET_SECRET,
        ids::DAEMON_SECRET,
        ids::LEDGER_SECRET,
        "open sesame",
        "vault-value",
        "<img",
        "<script",
    ] {
        assert!(!page.has(text), "{text} is shown");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.contains("script-src 'none'"), "{policy}");
    assert_eq!(page.headers["cache-control"], "no-store, no-cache");
}
