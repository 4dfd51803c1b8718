//! Starts a command that a setting of the user names, so that all of it can be killed.
//!
//! On Unix, `sh` runs it, as in the AWS SDKs, so `~` and `|` work. On Windows, it is started without
//! a shell and split as a C program splits its command line, as in the AWS CLI.

pub(crate) use form::{Group, command};

#[cfg(unix)]
mod form {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use tokio::process::{Child, Command};

    /// Returns the command that a text describes.
    pub(crate) fn command(text: &str) -> Result<Command, String> {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        Ok(command)
    }

    /// The processes of a command: its process group. At a terminal, the command stays in the
    /// caller's group, because only the foreground group can ask for a password. Then it is killed
    /// alone.
    pub(crate) struct Group {
        is_apart: bool,
    }

    impl Group {
        /// Prepares a command that has not started.
        pub(crate) fn of(command: &mut Command) -> Self {
            let is_apart = !is_at_a_terminal();
            if is_apart {
                command.process_group(0);
            }
            Self { is_apart }
        }

        /// Adds a command that has just started.
        pub(crate) fn add(&mut self, _: &Child) {}

        /// Kills the processes. Does nothing if `child` was waited for: the
        /// group's ID may belong to another process by now.
        pub(crate) fn kill(&self, child: &Child) {
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            if let (true, Some(id)) = (self.is_apart, id) {
                // SAFETY: a system call without memory.
                #[expect(unsafe_code, reason = "killpg is a C function")]
                let _ = unsafe { libc::killpg(id, libc::SIGKILL) };
            }
        }
    }

    /// Whether this process is in the terminal's foreground group. The terminal stops processes of
    /// other groups that read from it.
    fn is_at_a_terminal() -> bool {
        File::open("/dev/tty").is_ok_and(|terminal| {
            // SAFETY: system calls without memory, on a descriptor that is open.
            #[expect(unsafe_code, reason = "these are C functions")]
            unsafe {
                libc::tcgetpgrp(terminal.as_raw_fd()) == libc::getpgrp()
            }
        })
    }
}

#[cfg(windows)]
mod form {
    use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
    use std::ptr::null;

    use tokio::process::{Child, Command};
    use windows_sys::Win32::System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, TerminateJobObject,
    };

    /// Returns the command that a text describes.
    pub(crate) fn command(text: &str) -> Result<Command, String> {
        let mut words = super::words(text)?.into_iter();
        let program = words.next().ok_or("is empty")?;
        let mut command = Command::new(program);
        command.args(words);
        Ok(command)
    }

    /// The processes of a command: those of its job. What the command starts before [`Self::add`] is
    /// not in it.
    pub(crate) struct Group {
        job: Option<OwnedHandle>,
    }

    impl Group {
        /// Prepares a command that has not started.
        pub(crate) fn of(_: &mut Command) -> Self {
            // SAFETY: neither argument is needed. The handle is new, and null if there is none.
            #[expect(unsafe_code, reason = "CreateJobObjectW is a C function")]
            let job = unsafe {
                let job = CreateJobObjectW(null(), null());
                (!job.is_null()).then(|| OwnedHandle::from_raw_handle(job))
            };
            Self { job }
        }

        /// Adds a command that has just started.
        pub(crate) fn add(&mut self, child: &Child) {
            let (Some(job), Some(process)) = (&self.job, child.raw_handle()) else {
                return;
            };
            // SAFETY: both handles are open.
            #[expect(unsafe_code, reason = "AssignProcessToJobObject is a C function")]
            let is_in = unsafe { AssignProcessToJobObject(job.as_raw_handle(), process) } != 0;
            if !is_in {
                self.job = None;
            }
        }

        /// Kills the processes.
        pub(crate) fn kill(&self, _: &Child) {
            if let Some(job) = &self.job {
                // SAFETY: the handle is open.
                #[expect(unsafe_code, reason = "TerminateJobObject is a C function")]
                unsafe {
                    TerminateJobObject(job.as_raw_handle(), 1)
                };
            }
        }
    }
}

/// Splits a command line as C programs on Windows do. Only blanks and tabs separate words, and only
/// `"` quotes. Backslashes are ordinary characters, except before a `"`, which one of them escapes.
///
/// Source: <https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments>
#[cfg(any(windows, test))]
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut is_quoted, mut backslashes) = (false, 0);
    for character in text.chars() {
        if character == '\\' {
            backslashes += 1;
            word.get_or_insert_default();
            continue;
        }
        let is_escaped = character == '"' && backslashes % 2 == 1;
        let kept = match character {
            '"' => backslashes / 2,
            _ => backslashes,
        };
        if kept > 0 {
            word.get_or_insert_default().push_str(&"\\".repeat(kept));
        }
        backslashes = 0;
        match character {
            '"' if !is_escaped => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !is_quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if is_quoted {
        return Err("has no closing `\"`".to_owned());
    }
    if let Some(mut word) = word {
        word.push_str(&"\\".repeat(backslashes));
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_command_line_of_windows_is_split_as_c_programs_do() {
        for (text, expected) in [
            (r"", &[][..]),
            (r" a  b	c ", &["a", "b", "c"]),
            (
                r#""C:\Program Files\x.exe" --to C:\""#,
                &[r"C:\Program Files\x.exe", "--to", "C:\""],
            ),
            (r#""C:\Program Files\\" x"#, &[r"C:\Program Files\", "x"]),
            (r"C:\a\b c\", &[r"C:\a\b", r"c\"]),
            (r#"a"b c"d"#, &["ab cd"]),
            (r#"a "" b"#, &["a", "", "b"]),
            (r#"a\"b \\"c d""#, &["a\"b", r"\c d"]),
            ("'a b'", &["'a", "b'"]),
        ] {
            match words(text) {
                Ok(found) => assert_eq!(found, expected, "{text}"),
                Err(problem) => panic!("{text}: {problem}"),
            }
        }
    }

    #[test]
    fn a_command_line_of_windows_closes_its_quotes() {
        assert_eq!(words("a \"b c").unwrap_err(), "has no closing `\"`");
    }
}
