//! Child processes: started with their log in a file, stopped when dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::workspace::without_settings;

/// A running program.
pub(crate) struct Process {
    name: &'static str,
    child: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts `program` in `folder`, its output in `<name>.log` there.
    pub(crate) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join(name).with_extension("log");
        let file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let child = without_settings(Command::new(program))
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { name, child: Mutex::new(child), log })
    }

    /// Fails if the program has ended.
    pub(crate) fn check(&self) -> Result<()> {
        let status = self.child.lock().expect("no one panics with the lock").try_wait()?;
        match status {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}\n{}", self.name, self.last_lines()),
        }
    }

    /// Its log so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.log).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The end of its log, for a failure's message.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.lines();
        let last = lines[lines.len().saturating_sub(20)..].join("\n   ");
        format!("   the last of {}:\n   {last}", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("no one panics with the lock");
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Returns only if a program ends. Ctrl-C reaches the whole process group, so it ends them and us.
pub(super) fn wait_until_interrupted(processes: &[&Process]) -> Result<()> {
    loop {
        for process in processes {
            process.check()?;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
