//! A terminal whose standard error nobody reads any more.

use std::process::Stdio;

use valet_sign_in::{DeviceCode, PromptError, Prompts as _, Terminal};

use crate::processes::{again, heard, tell, told};
use crate::rig::Rig;

#[tokio::test]
async fn an_opened_browser_is_enough_where_standard_error_is_closed_and_a_code_is_not_shown_there() {
    if told().is_some() {
        let page: url::Url = "https://login.example/".parse().unwrap();
        let code =
            DeviceCode { user_code: "ABC".to_owned(), verification_uri: page.clone(), expires_in: 900 };
        let (browser, code) = (Terminal.browser(&page).await, Terminal.device_code(&code).await);
        assert!(matches!(code, Err(PromptError::Unavailable(_))), "{code:?}");
        return tell(&format!("{browser:?}"));
    }
    let rig = Rig::start().await;
    // A browser that opens.
    std::os::unix::fs::symlink("/bin/true", rig.folder.path().join("xdg-open")).unwrap();
    let name =
        "terminal::an_opened_browser_is_enough_where_standard_error_is_closed_and_a_code_is_not_shown_there";
    let mut child = again(&rig, name, "go")
        .env("PATH", rig.folder.path())
        .env("DISPLAY", ":0")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(heard(&mut child).await.as_deref(), Some("Ok(())"));
    assert!(child.wait().await.unwrap().success());
}
