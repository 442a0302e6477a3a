//! `valet install` and `uninstall`: an entry for this server in an MCP client's configuration, with everything else in the file left as it is.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};

/// The name of the entry.
const NAME: &str = "valet";

/// An MCP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// Visual Studio Code, for the user.
    #[value(name = "vscode")]
    VsCode,
    /// Claude Desktop.
    Claude,
    /// Claude Code, for the user.
    ClaudeCode,
    /// Cursor, for the user.
    Cursor,
}

/// Why a client's configuration was not changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is not known where the user's files are.
    #[error(
        "HOME is not set, so it is not known where the client's configuration is; use --print and put it there yourself"
    )]
    NoHome,
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not what the client would read.
    #[error("{}: {why}; nothing was changed. Use --print and put the entry there yourself", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Standard output.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// What the client has to start.
#[derive(Debug, Clone)]
pub struct Server {
    /// This program.
    pub command: PathBuf,
    /// The configuration, absolute.
    pub config: PathBuf,
    /// Whether the token cache may be a plain file.
    pub plaintext_cache: bool,
}

impl Server {
    fn arguments(&self) -> Vec<String> {
        let mut arguments =
            vec!["stdio".to_owned(), "--config".to_owned(), self.config.display().to_string()];
        if self.plaintext_cache {
            arguments.push("--dangerously-plaintext-cache".to_owned());
        }
        arguments
    }

    fn entry(&self, client: Client) -> CstInputValue {
        let text = |text: String| CstInputValue::String(text);
        let mut members = vec![
            ("command".to_owned(), text(self.command.display().to_string())),
            ("args".to_owned(), CstInputValue::Array(self.arguments().into_iter().map(text).collect())),
        ];
        if client != Client::Claude {
            members.insert(0, ("type".to_owned(), text("stdio".to_owned())));
        }
        CstInputValue::Object(members)
    }
}

impl Client {
    /// Where its configuration is, below the user's home.
    fn path(self, home: &Path) -> PathBuf {
        let config = |name: &str| match std::env::consts::OS {
            "macos" => home.join("Library/Application Support").join(name),
            "windows" => home.join("AppData/Roaming").join(name),
            _ => home.join(".config").join(name),
        };
        match self {
            Self::VsCode => config("Code").join("User/mcp.json"),
            Self::Claude => config("Claude").join("claude_desktop_config.json"),
            Self::ClaudeCode => home.join(".claude.json"),
            Self::Cursor => home.join(".cursor/mcp.json"),
        }
    }

    /// The member of that file in which servers are.
    const fn section(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            Self::Claude | Self::ClaudeCode | Self::Cursor => "mcpServers",
        }
    }
}

/// Shows what would be written, for a file that does not exist yet, and on `notes` where it belongs: `out` is the file and nothing else.
///
/// # Errors
/// [`InstallError::Output`].
pub fn print(
    client: Client,
    server: &Server,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), InstallError> {
    let (text, _) = with_entry("", client, server).expect("an empty file can be begun");
    if let Ok(home) = home() {
        let path = client.path(&home);
        writeln!(notes, "{} is where this belongs; nothing was written:", path.display())?;
    }
    // A line of its own at a terminal, whatever comes next.
    Ok(writeln!(out, "{}", text.trim_end())?)
}

/// Puts the entry into the client's configuration, in place of one of the same name.
///
/// # Errors
/// [`InstallError`]; nothing has changed then.
pub fn install(client: Client, server: &Server, out: &mut impl Write) -> Result<(), InstallError> {
    let path = client.path(&home()?);
    let text = read(&path)?;
    let (changed, done) =
        with_entry(&text, client, server).map_err(|why| InstallError::Content { path: path.clone(), why })?;
    let (path_shown, section) = (path.display(), client.section());
    if changed == text {
        writeln!(out, "{path_shown}: `{NAME}` is in `{section}` already, the same")?;
        return Ok(());
    }
    write(&path, &changed)?;
    let done = match done {
        Done::Added => "added",
        Done::Replaced => "replaced",
    };
    writeln!(out, "{path_shown}: {done} `{NAME}` in `{section}`. Restart the client to use it.")?;
    Ok(())
}

/// Takes the entry out again.
///
/// # Errors
/// [`InstallError`]; nothing has changed then.
pub fn uninstall(client: Client, out: &mut impl Write) -> Result<(), InstallError> {
    let path = client.path(&home()?);
    if !path.exists() {
        writeln!(out, "{}: there is no such file, so nothing to remove", path.display())?;
        return Ok(());
    }
    let text = read(&path)?;
    let changed =
        without_entry(&text, client).map_err(|why| InstallError::Content { path: path.clone(), why })?;
    match changed {
        None => writeln!(out, "{}: there is no `{NAME}` in it", path.display())?,
        Some(changed) => {
            write(&path, &changed)?;
            writeln!(out, "{}: removed `{NAME}`", path.display())?;
        }
    }
    Ok(())
}

/// What became of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Added,
    Replaced,
}

fn with_entry(text: &str, client: Client, server: &Server) -> Result<(String, Done), String> {
    let (root, object) = parsed(text)?;
    let section = object
        .object_value_or_create(client.section())
        .ok_or_else(|| format!("`{}` is not an object", client.section()))?;
    let done = match section.get(NAME) {
        Some(entry) => {
            entry.set_value(server.entry(client));
            Done::Replaced
        }
        None => {
            section.append(NAME, server.entry(client));
            Done::Added
        }
    };
    let mut text = root.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok((text, done))
}

/// None if it is not there.
fn without_entry(text: &str, client: Client) -> Result<Option<String>, String> {
    let (root, object) = parsed(text)?;
    let Some(entry) = object.object_value(client.section()).and_then(|section| section.get(NAME)) else {
        return Ok(None);
    };
    entry.remove();
    Ok(Some(root.to_string()))
}

/// The file as a tree with all its comments and blanks. An empty one is an object without members.
fn parsed(text: &str) -> Result<(CstRootNode, CstObject), String> {
    let text = if text.trim().is_empty() { "{\n}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let object = root.object_value().ok_or("it is not a JSON object")?;
    Ok((root, object))
}

fn home() -> Result<PathBuf, InstallError> {
    std::env::home_dir().filter(|home| home.is_absolute()).ok_or(InstallError::NoHome)
}

/// A file that does not exist is as good as empty.
fn read(path: &Path) -> Result<String, InstallError> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| InstallError::File { path: path.to_owned(), error }),
    }
}

/// In one step: whoever reads the file finds the old text or the new one.
fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    let failed = |error| InstallError::File { path: path.to_owned(), error };
    // Where a user keeps such files elsewhere and links to them, the link stays.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    // Readable by its owner alone until it has the rights of the file that it replaces: such files hold keys of other servers.
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(text.as_bytes()).and_then(|()| draft.as_file().sync_all()).map_err(failed)?;
    if let Ok(old) = std::fs::metadata(&path) {
        std::fs::set_permissions(draft.path(), old.permissions()).map_err(failed)?;
    }
    draft.persist(&path).map(drop).map_err(|error| failed(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server { command: "/opt/valet".into(), config: "/etc/valet.toml".into(), plaintext_cache: false }
    }

    #[test]
    fn an_entry_begins_a_file() {
        let (text, _) = with_entry("", Client::VsCode, &server()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "servers": { "valet": {
                "type": "stdio", "command": "/opt/valet", "args": ["stdio", "--config", "/etc/valet.toml"],
            } } })
        );
        let plain = Server { plaintext_cache: true, ..server() };
        let (text, _) = with_entry("", Client::Claude, &plain).unwrap();
        assert!(text.contains("mcpServers") && text.contains("--dangerously-plaintext-cache"), "{text}");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        let before = "{\n  // my servers\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" }, // keep\n  },\n  \"zoom\": 1\n}\n";
        let (after, done) = with_entry(before, Client::Cursor, &server()).unwrap();
        assert_eq!(done, Done::Added);
        for kept in ["// my servers", "\"other\": { \"command\": \"x\" }", "// keep", "\"zoom\": 1"] {
            assert!(after.contains(kept), "{kept} is gone: {after}");
        }
        assert!(after.contains("/opt/valet"));
        // Again: replaced, not added.
        let other = Server { command: "/usr/bin/valet".into(), ..server() };
        let (again, done) = with_entry(&after, Client::Cursor, &other).unwrap();
        assert_eq!(done, Done::Replaced);
        assert_eq!(again.matches("\"valet\"").count(), 1, "{again}");
        assert!(!again.contains("/opt/valet"));
        let removed = without_entry(&again, Client::Cursor).unwrap().unwrap();
        assert!(!removed.contains("valet") && removed.contains("// keep"), "{removed}");
        assert_eq!(without_entry(&removed, Client::Cursor), Ok(None));
        assert_eq!(without_entry("", Client::Cursor), Ok(None));
    }

    #[test]
    fn a_file_that_is_something_else_is_refused() {
        for text in ["[]", "{", "hello", "{\"servers\": []}"] {
            assert!(with_entry(text, Client::VsCode, &server()).is_err(), "{text}");
        }
    }
}
