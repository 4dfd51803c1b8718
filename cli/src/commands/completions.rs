//! `rdsign completions`: prints a script for a shell. It is generated from the declarations that
//! parse the command line, so it cannot miss a flag.
//!
//! Regions are those of the certificate authorities. Profiles are read when a user presses Tab: the
//! script calls `rdsign completions profiles`. After `exec` and `local --`, the shell completes
//! the other program's command line.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Command, ValueEnum};
use clap_complete::{Generator, Shell};
use rdsign::credentials::profile_names;

use crate::ca_bundle::authorities;
use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Printed,
}

/// A script, or the names of the profiles, which a script asks for. Help does not show those.
#[derive(Clone, Copy)]
enum Printed {
    Script(Shell),
    Profiles,
}

impl ValueEnum for Printed {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Script(Shell::Bash),
            Self::Script(Shell::Elvish),
            Self::Script(Shell::Fish),
            Self::Script(Shell::PowerShell),
            Self::Script(Shell::Zsh),
            Self::Profiles,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Script(shell) => shell.to_possible_value(),
            Self::Profiles => Some(PossibleValue::new("profiles").hide(true)),
        }
    }
}

const HELP: &str = "\
Example:
  rdsign completions bash > /etc/bash_completion.d/rdsign";

/// These stand for the values of `--profile` and `--region` in a generated script.
const PROFILES: &str = "RDSIGN_PROFILES";
const REGIONS: &str = "RDSIGN_REGIONS";

/// Completes another program's command line in bash: `clap_complete` does so only in zsh.
const BASH: &str = r#"
# Completes the command that follows exec or local --.
_rdsign_or_command() {
    local at="" word
    for ((word = 2; word < COMP_CWORD; word++)); do
        if [[ "${COMP_WORDS[word]}" == "--" && "${COMP_WORDS[1]}" == @(exec|local) ]]; then
            at=$((word + 1))
            break
        fi
    done
    if [[ -z "${at}" ]]; then
        _rdsign "$@"
    elif declare -F _command_offset > /dev/null; then
        _command_offset "${at}"
    elif ((at == COMP_CWORD)); then
        COMPREPLY=($(compgen -c -- "$2"))
    else
        COMPREPLY=($(compgen -f -- "$2"))
    fi
}
"#;

/// The same for fish.
const FISH: &str = r#"
# Completes the command that follows exec or local --.
function __fish_rdsign_command
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words)
    set -l command (string escape -- $words[(math $at + 1)..-1])
    complete -C (string join ' ' -- $command (commandline -ct))
end
complete -c rdsign -n "__fish_seen_subcommand_from exec local; and contains -- -- (commandline -opc)" -f -a "(__fish_rdsign_command)"
"#;

pub(crate) fn run(args: CompletionsArgs, command: Command) -> Result<ExitCode, Failure> {
    match args.shell {
        Printed::Script(shell) => output::print([script(shell, command)])?,
        Printed::Profiles => output::print(profile_names().iter().map(|name| format!("{name}\n")))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes each shell's script, with the name that the shell looks for.
pub(crate) fn write_all(folder: &Path, command: &Command) -> io::Result<()> {
    for &shell in Shell::value_variants() {
        let name = shell.file_name("rdsign");
        std::fs::write(folder.join(name), script(shell, command.clone()))?;
    }
    Ok(())
}

fn script(shell: Shell, command: Command) -> String {
    let mut command = with_values(command);
    // Written to memory first: clap_complete panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "rdsign", &mut script);
    let script = String::from_utf8_lossy(&script);
    let regions: BTreeSet<String> = authorities().filter_map(|a| a.region).collect();
    let regions = regions.into_iter().collect::<Vec<_>>().join(" ");
    let script = script.replace(REGIONS, &regions);
    let names = "rdsign completions profiles 2> /dev/null";
    match shell {
        Shell::Bash => {
            let script = script.replace(PROFILES, &format!("$({names})"));
            BASH.trim_start().to_owned() + &script.replace("-F _rdsign ", "-F _rdsign_or_command ")
        }
        Shell::Zsh => script.replace(
            &format!("({PROFILES})"),
            &format!("{{compadd -- ${{(f)\"$({names})\"}}}}"),
        ),
        Shell::Fish => script.replace(&format!("{PROFILES}\\t''"), &format!("({names})")) + FISH,
        _ => script.replace(PROFILES, ""),
    }
}

/// Adds the values of `--region` and `--profile` to all commands.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|argument| match argument.get_long() {
        Some("region") => argument.value_parser(PossibleValuesParser::new([REGIONS])),
        Some("profile") => argument.value_parser(PossibleValuesParser::new([PROFILES])),
        _ => argument,
    });
    command.mut_subcommands(with_values)
}
