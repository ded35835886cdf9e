//! The first start and every later one: keys, sample agent.

use super::place::Place;
use onekey::server::commands::agent::make_sample;
use onekey::server::config::Config;
use onekey::server::secrets::{Secrets, SecretsError};
use onekey::server::store::{Database, Hashes};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn keys_are_made_once_for_the_owner_alone_and_a_damaged_one_is_never_replaced() {
    let place = Place::new();
    let first = Secrets::load(place.path()).unwrap();
    let again = Secrets::load(place.path()).unwrap();
    assert_eq!((first.registry_key, first.ledger_key), (again.registry_key, again.ledger_key));
    assert_ne!(first.registry_key, first.ledger_key);
    assert_ne!(first.seed, again.seed, "a run's random values must not come again");
    let mode = |name: &str| std::fs::metadata(place.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/ledger.key")), (0o700, 0o600));
    assert_eq!(std::fs::read_dir(place.join("secrets")).unwrap().count(), 2, "no draft is left");
    std::fs::write(place.join("secrets/registry.key"), "short").unwrap();
    assert!(matches!(Secrets::load(place.path()), Err(SecretsError::Damaged { .. })));
    std::fs::write(place.join("secrets/registry.key"), [0xff; 64]).unwrap();
    assert!(matches!(Secrets::load(place.path()), Err(SecretsError::Damaged { .. })));
}

#[test]
fn two_processes_that_start_at_once_agree_on_their_keys() {
    let place = Place::new();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| Secrets::load(place.path()).map(|keys| keys.registry_key))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let key = Secrets::load(place.path()).unwrap().registry_key;
    // Within one process both drafts have one name, so one of them may be refused; a wrong key is never returned.
    assert!(keys.iter().flatten().all(|each| *each == key));
}

#[test]
fn the_sample_agent_is_made_at_the_very_first_start_only() {
    let place = Place::new();
    let config = Config::default();
    let database = Database::open(&place.join("onekey.sqlite"), Duration::from_secs(5)).unwrap();
    let (agent, password) = make_sample(&config, &database).unwrap().unwrap();
    assert_eq!(agent.as_str(), "1001");
    assert_eq!(database.agents().unwrap()[0].0.ha1_md5, Hashes::of(&agent, &config.sip.realm, &password).md5);
    assert!(make_sample(&config, &database).unwrap().is_none());
    database.remove_agent(&agent).unwrap();
    assert!(make_sample(&config, &database).unwrap().is_none(), "a removed sample does not come back");
}
