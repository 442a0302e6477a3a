//! The system's browser, without a shell: the URL is one argument, and can be nothing but http or https.

use std::process::{Command, Stdio};

use url::Url;

/// Why no browser opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// Another kind of URL: a program or a file could hide behind it.
    #[error("`{scheme}:` is not opened, only http and https")]
    Scheme {
        /// Its scheme.
        scheme: String,
    },
    /// There is no screen.
    #[error("there is no graphical session (neither DISPLAY nor WAYLAND_DISPLAY is set)")]
    NoScreen,
    /// The opener could not be started.
    #[error("`{program}` cannot be started: {why}")]
    Opener {
        /// Its name.
        program: &'static str,
        /// What the system said.
        why: String,
    },
    /// The opener knows of no browser.
    #[error("`{program}` opened nothing ({status})")]
    Nothing {
        /// Its name.
        program: &'static str,
        /// How it ended.
        status: String,
    },
}

/// The program that opens a URL with whatever the person uses, and its arguments before the URL. Windows' `start` is part of a shell.
const OPENER: (&str, &[&str]) = if cfg!(windows) {
    ("rundll32", &["url.dll,FileProtocolHandler"])
} else if cfg!(target_os = "macos") {
    ("open", &[])
} else {
    ("xdg-open", &[])
};

/// Opens `url` in the system's browser. Does not wait for the person.
///
/// # Errors
/// An [`OpenError`] where no browser opened.
pub(crate) fn open_in_browser(url: &Url) -> Result<(), OpenError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(OpenError::Scheme { scheme: url.scheme().to_owned() });
    }
    let screen = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(all(unix, not(target_os = "macos"))) && !screen("DISPLAY") && !screen("WAYLAND_DISPLAY") {
        return Err(OpenError::NoScreen);
    }
    let (program, arguments) = OPENER;
    let opener = Command::new(program)
        .args(arguments)
        .arg(url.as_str())
        .stdin(Stdio::null())
        // A browser that talks must not talk into the protocol.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut opener = opener.map_err(|error| OpenError::Opener { program, why: error.to_string() })?;
    // Openers end at once where they find no browser. Some stay as long as the browser does: those are waited for elsewhere.
    std::thread::sleep(std::time::Duration::from_millis(300));
    match opener.try_wait() {
        Ok(Some(status)) if !status.success() => {
            Err(OpenError::Nothing { program, status: status.to_string() })
        }
        Ok(Some(_)) => Ok(()),
        _ => {
            std::thread::spawn(move || opener.wait());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_opened() {
        for text in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ms-msdt:/id",
            "ftp://x.example",
            "data:text/html,x",
        ] {
            let url = Url::parse(text).unwrap();
            let expected = OpenError::Scheme { scheme: url.scheme().to_owned() };
            assert_eq!(open_in_browser(&url), Err(expected), "{text}");
        }
    }
}
