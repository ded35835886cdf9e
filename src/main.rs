//! The command line: one line for each command, each a call into the module that does it.
//!
//! Exit status: 0 well, 1 problems found, 2 wrong use (DESIGN §13).

use clap::{Args, Parser, Subcommand, ValueEnum};
use onekey::bench::{self, What};
use onekey::ids::PromiseId;
use onekey::picture::Form;
use onekey::script::{LookupSays, Registry};
use onekey::server::commands::{
    Done, agent, calls, demo, dialplan, graph, promises, prompts, registry, serve, testing, trying,
};
use onekey::server::config::{self, Config};
use onekey::server::prompts_build::Wish;
use onekey::sip::registrar::DigestChoice;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A call is many small pieces of memory for a short time: with this one it costs a tenth less to set up, and a third less
/// memory while it lasts, than with the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        error.status()
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
        Command::Check { paths, profile, json } => dialplan::check(config, &paths, profile, json),
        Command::Test { folder, bless, coverage, json } => {
            testing::run(config, folder.as_deref(), &testing::Wish { bless, coverage, json })
        }
        Command::Try(walk) => trying::run(config, &(*walk).into()),
        Command::Profiles { name } => dialplan::profiles(name.as_deref()),
        Command::Explain { code } => dialplan::explain(code.as_deref()),
        Command::Graph { of, line, format, output } => {
            graph::graph(config, &graph::Wish { of, line, form: format.into(), output })
        }
        Command::Schema => dialplan::schema(),
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
        Command::Bench { what, seconds, json, plot } => {
            bench::run(config, what.into(), &bench::Wish { seconds, is_json: json, plot })
        }
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
    /// Checks dialplans: folders, or files, each of which stands for its folder [default: the configured one]
    Check {
        paths: Vec<PathBuf>,
        /// Judge every line by this profile too; may be given several times
        #[arg(long, value_name = "NAME")]
        profile: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// Runs the .call files of a dialplan's folder, or one of them, in virtual time [default: the configured folder]
    Test {
        folder: Option<PathBuf>,
        /// Rewrite the `<` lines of the files as they really are
        #[arg(long)]
        bless: bool,
        /// List for each line the steps, keys and other ways that no test walks
        #[arg(long)]
        coverage: bool,
        #[arg(long)]
        json: bool,
    },
    /// Walks through a line's dialplan in this terminal: you press the keys and choose what the world does
    Try(Box<TryArguments>),
    /// Lists the profiles (rules of countries and standards) that a line can be judged by, or the rules of one
    Profiles { name: Option<String> },
    /// Explains a code such as D012, or lists all codes
    Explain { code: Option<String> },
    /// Draws a line: its menus and keys, and how soon a person is reached from each of them
    Graph {
        /// A line's name, or a dialplan's folder [default: the configured folder]
        #[arg(value_name = "LINE|FOLDER")]
        of: Option<PathBuf>,
        /// The line, where the folder has several
        #[arg(long, value_name = "NAME")]
        line: Option<String>,
        #[arg(long, default_value = "svg")]
        format: GraphFormat,
        /// Write there instead of to the standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Prints the JSON Schema of dialplans, for completion and hover in editors
    Schema,
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
    /// Measures how many calls this machine can carry, and how near Onekey comes to what the machine allows
    Bench {
        #[command(subcommand)]
        what: BenchCommand,
        /// How long is measured; dialling and the bare loops come on top
        #[arg(long, global = true, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        #[arg(long, global = true)]
        json: bool,
        /// Measure at five sizes up to the one that is asked for, and draw how the figures grow: an SVG
        #[arg(long, global = true, value_name = "FILE")]
        plot: Option<PathBuf>,
    },
}

#[derive(Args)]
struct TryArguments {
    /// The name of a line, or a number that reaches one
    line: String,
    /// The dialplan's folder [default: the configured one]
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
    /// The caller's number, or `withheld` [default: +12025550123]
    #[arg(long, value_name = "NUMBER")]
    caller: Option<String>,
    /// The caller's age in the registry
    #[arg(long)]
    age: Option<u8>,
    /// A flag of the caller in the registry, such as assist; may be given again
    #[arg(long = "flag", value_name = "FLAG")]
    flags: Vec<String>,
    /// The caller's language in the registry
    #[arg(long)]
    language: Option<String>,
    /// Instead of a caller whom the registry lists: unlisted, fails, silent
    #[arg(long, value_parser = trying::parse_registry, conflicts_with_all = ["age", "flags", "language"])]
    registry: Option<Registry>,
    /// Agents who are logged in [default: those whom the queues name, or 1001]
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    agents: Vec<String>,
    /// No agent is logged in
    #[arg(long, conflicts_with = "agents")]
    no_agents: bool,
    /// When the call is made, such as \"2026-11-23 22:00 Asia/Shanghai\"
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What a look-up is answered, such as \"account answers balance=12.50\"; without it you are asked
    #[arg(long = "lookup", value_name = "ANSWER", value_parser = trying::parse_lookup)]
    lookups: Vec<(String, LookupSays)>,
    /// Wait for nothing: time passes when you press Enter, up to the next thing that happens
    #[arg(long)]
    fast: bool,
    /// Play what the caller hears, by a player that is installed (aplay, paplay, play, ffplay, afplay)
    #[arg(long, conflicts_with = "fast")]
    audio: bool,
    /// Keep what was walked as a test, a file that ends in .call
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
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

#[derive(Subcommand)]
enum BenchCommand {
    /// The machine alone: packets sent and forwarded by bare loops
    Limit {
        #[arg(long, default_value_t = 1000, value_parser = calls)]
        calls: u64,
    },
    /// Callers listen to a menu
    Prompts {
        #[arg(long, default_value_t = 1000, value_parser = calls)]
        calls: u64,
        /// All of them speak too, as real phones do
        #[arg(long)]
        talking: bool,
    },
    /// Callers and agents talk
    Bridges {
        #[arg(long, default_value_t = 500, value_parser = calls)]
        calls: u64,
    },
    /// Calls are set up and ended
    Setup {
        /// Calls a second
        #[arg(long, default_value_t = 1000, value_parser = calls)]
        rate: u64,
    },
    /// From the first packet of a 0 to the agent's INVITE, while others listen to a menu
    Keys {
        /// The others
        #[arg(long, default_value_t = 500, value_parser = calls)]
        calls: u64,
    },
    /// People are imported into the registry of callers, and looked up (50 million take minutes and 2 GB)
    Registry {
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
        rows: u64,
    },
    /// A dialplan is read, checked and proved
    Check {
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(2..=100_000))]
        steps: u64,
    },
}

/// No more than there are ports.
fn calls(text: &str) -> Result<u64, String> {
    let number: u64 = text.parse().map_err(|_| "a number is wanted".to_owned())?;
    if (1..=10_000).contains(&number) { Ok(number) } else { Err("1 to 10000 can be measured".to_owned()) }
}

impl From<BenchCommand> for What {
    fn from(command: BenchCommand) -> What {
        match command {
            BenchCommand::Limit { calls } => What::Limit { calls: calls as usize },
            BenchCommand::Prompts { calls, talking } => What::Prompts { calls: calls as usize, talking },
            BenchCommand::Bridges { calls } => What::Bridges { calls: calls as usize },
            BenchCommand::Setup { rate } => What::Setup { rate },
            BenchCommand::Keys { calls } => What::Keys { calls: calls as usize },
            BenchCommand::Registry { rows } => What::Registry { rows },
            BenchCommand::Check { steps } => What::Check { steps: steps as usize },
        }
    }
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

/// How a picture is written: a drawing, or text for Graphviz or for Markdown.
#[derive(Clone, Copy, ValueEnum)]
enum GraphFormat {
    Svg,
    Dot,
    Mermaid,
}

impl From<GraphFormat> for Form {
    fn from(format: GraphFormat) -> Form {
        match format {
            GraphFormat::Svg => Form::Svg,
            GraphFormat::Dot => Form::Dot,
            GraphFormat::Mermaid => Form::Mermaid,
        }
    }
}

impl From<TryArguments> for trying::Wish {
    fn from(given: TryArguments) -> trying::Wish {
        let TryArguments { line, folder, caller, age, flags, language, registry, agents, no_agents, .. } = given;
        let TryArguments { at, lookups, fast, audio, save, .. } = given;
        trying::Wish {
            line,
            folder,
            caller,
            age,
            flags,
            language,
            registry,
            agents,
            no_agents,
            at,
            lookups,
            fast,
            audio,
            save,
        }
    }
}

impl From<PasswordSource> for agent::Password {
    fn from(source: PasswordSource) -> agent::Password {
        if source.password_stdin { agent::Password::FromInput } else { agent::Password::Generated }
    }
}
