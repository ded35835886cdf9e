//! The command line: one line for each command, each a call into the module that does it.
//!
//! Exit status: 0 well, 1 problems found, 2 wrong use (DESIGN §13).

use clap::{Args, Parser, Subcommand, ValueEnum};
use onekey::ids::PromiseId;
use onekey::server::commands::{Done, agent, calls, demo, dialplan, promises, prompts, registry, serve};
use onekey::server::config::{self, Config};
use onekey::server::prompts_build::Wish;
use onekey::sip::registrar::DigestChoice;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match config::load(arguments.config.as_deref()) {
        Ok(config) => run(arguments.command, &config),
        Err(refused) => {
            eprint!("{}", refused.drawn(std::io::stderr().is_terminal()));
            return ExitCode::FAILURE;
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(command: Command, config: &Config) -> Done {
    match command {
        Command::Serve => {
            log(&config.log.filter);
            serve::run(config, onekey::console::metrics::pages())
        }
        Command::Demo { once } => {
            log("error"); // the traces on the terminal are what a demo is to show
            demo::run(config, onekey::console::metrics::pages(), once)
        }
        Command::Check { folder, json } => dialplan::check(config, folder.as_deref(), json),
        Command::Test { folder, bless, json } => dialplan::test(config, folder.as_deref(), bless, json),
        Command::Explain { code } => dialplan::explain(code.as_deref()),
        Command::Prompts(PromptsCommand::Build { language, force }) => {
            prompts::build(config, &Wish { language, force })
        }
        Command::Registry(RegistryCommand::Import { file, json }) => registry::import(config, &file, json),
        Command::Registry(RegistryCommand::Find { number, json }) => registry::find(config, &number, json),
        Command::Registry(RegistryCommand::Count) => registry::count(config),
        Command::Agent(AgentCommand::Add { name, digest, password }) => {
            agent::add(config, &name, digest.unwrap_or(Digest::Md5).into(), password.into())
        }
        Command::Agent(AgentCommand::Passwd { name, digest, password }) => {
            agent::passwd(config, &name, digest.map(Into::into), password.into())
        }
        Command::Agent(AgentCommand::Remove { name }) => agent::remove(config, &name),
        Command::Agent(AgentCommand::List { json }) => agent::list(config, json),
        Command::Promises(PromisesCommand::List { json }) => promises::list(config, json),
        Command::Promises(PromisesCommand::Take { promise, by }) => promises::take(config, promise, &by),
        Command::Promises(PromisesCommand::Close { promise }) => promises::close(config, promise),
        Command::Calls(CallsCommand::List { limit, json }) => calls::list(config, limit, json),
    }
}

/// Lines to the standard error; `RUST_LOG` goes before `filter`.
fn log(filter: &str) {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(filter));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Where the standard error is a file on a full disk its line is lost; to say so there would be a panic.
    lines.with_ansi(std::io::stderr().is_terminal()).log_internal_errors(false).init();
}

/// A telephony IVR engine that hands every caller to a person on one press of 0.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// Settings of this machine [default: onekey.toml in the working directory, if there is one]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers calls until Ctrl-C
    Serve,
    /// Shows it all: a server, an agent and three callers in this terminal, then a server for your softphone
    Demo {
        /// End after the three calls, with status 1 if any reached nobody
        #[arg(long)]
        once: bool,
    },
    /// Checks a dialplan's folder [default: the configured one]
    Check {
        folder: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Runs the .call files of a dialplan's folder, or one of them, in virtual time [default: the configured folder]
    Test {
        folder: Option<PathBuf>,
        /// Rewrite the `<` lines of the files as they really are
        #[arg(long)]
        bless: bool,
        #[arg(long)]
        json: bool,
    },
    /// Explains a code such as D012, or lists all codes
    Explain { code: Option<String> },
    /// The prompts' sounds
    #[command(subcommand)]
    Prompts(PromptsCommand),
    /// The caller registry: who meets no menu
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Accounts of agents' phones
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Requests for a person that nobody has kept yet
    #[command(subcommand)]
    Promises(PromisesCommand),
    /// Records of calls
    #[command(subcommand)]
    Calls(CallsCommand),
}

#[derive(Subcommand)]
enum PromptsCommand {
    /// Makes the WAV files from the texts in each prompts.toml; recordings are left alone
    Build {
        /// One language; all of them if none is named
        #[arg(long)]
        language: Option<String>,
        /// Make every prompt again, recordings too
        #[arg(long)]
        force: bool,
    },
}

#[derive(Subcommand)]
enum RegistryCommand {
    /// Reads people from a CSV file (header row: number,birth_date,flags,language); bad rows are listed
    Import {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// Shows what is stored of a number
    Find {
        #[arg(allow_hyphen_values = true)]
        number: String,
        #[arg(long)]
        json: bool,
    },
    /// Counts the numbers
    Count,
}

#[derive(Subcommand)]
enum AgentCommand {
    /// Adds an agent; a password is made and shown once
    Add {
        /// The user name of the phone, such as 1001
        name: String,
        #[arg(long)]
        digest: Option<Digest>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Gives an agent a new password
    Passwd {
        name: String,
        #[arg(long)]
        digest: Option<Digest>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Removes an agent and its phones
    Remove { name: String },
    /// Lists the agents and where their phones are
    List {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct PasswordSource {
    /// Read the password from the first line of the standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Subcommand)]
enum PromisesCommand {
    /// Lists the open promises, those due first
    List {
        #[arg(long)]
        json: bool,
    },
    /// Says that somebody works on a promise
    Take {
        #[arg(value_parser = promises::parse_promise)]
        promise: PromiseId,
        /// Who
        #[arg(long)]
        by: String,
    },
    /// Says that a promise is kept; its number is erased
    Close {
        #[arg(value_parser = promises::parse_promise)]
        promise: PromiseId,
    },
}

#[derive(Subcommand)]
enum CallsCommand {
    /// Lists the latest calls
    List {
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
}

/// Which challenges the agent's phone gets; some phones break off when they see SHA-256.
#[derive(Clone, Copy, ValueEnum)]
enum Digest {
    Md5,
    Sha256,
    Both,
}

impl From<Digest> for DigestChoice {
    fn from(digest: Digest) -> DigestChoice {
        match digest {
            Digest::Md5 => DigestChoice::Md5,
            Digest::Sha256 => DigestChoice::Sha256,
            Digest::Both => DigestChoice::Both,
        }
    }
}

impl From<PasswordSource> for agent::Password {
    fn from(source: PasswordSource) -> agent::Password {
        if source.password_stdin { agent::Password::FromInput } else { agent::Password::Generated }
    }
}
