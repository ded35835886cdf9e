//! What people do in the weather: one random thing at a time.

use crate::world::World;
use onekey::media::command::MediaEvent;
use std::time::Duration;

/// Something random happens.
pub fn act(world: &mut World) {
    match world.roll(26) {
        0..=5 => world.new_caller(),
        6..=9 => {
            let key = world.key();
            world.on_some_leg(true, |leg| MediaEvent::Key { leg, key });
        }
        10 => {
            let key = world.key();
            with_caller(world, |caller| caller.key_by_info(key.as_char()));
        }
        11 | 12 => with_caller(world, |caller| caller.hang_up("")),
        13 => with_caller(world, |caller| caller.hang_up("Reason: Q.850;cause=38\r\n")),
        14 => cut_caller(world),
        15 => with_caller(world, |caller| caller.hold(true)),
        16 | 17 => with_caller(world, |caller| caller.hold(false)),
        18 => world.weather_changes(),
        19 => world.reload(),
        20 => world.on_some_leg(false, |leg| MediaEvent::Silent { leg, quiet: Duration::from_secs(30) }),
        _ => agent_acts(world),
    }
}

fn with_caller(world: &mut World, does: impl Fn(&mut crate::phones::CallerPhone) -> Option<onekey::sip::Datagram>) {
    if let Some(caller) = world.some_caller() {
        let said = does(world.caller(caller));
        world.send(said);
    }
}

fn cut_caller(world: &mut World) {
    if let Some(caller) = world.some_caller() {
        world.caller(caller).cut = true;
        world.on_some_leg(true, |leg| MediaEvent::Silent { leg, quiet: Duration::from_secs(30) });
    }
}

fn agent_acts(world: &mut World) {
    if world.agents() == 0 {
        return;
    }
    let agent = world.roll(world.agents() as u64) as usize;
    let said = match world.roll(10) {
        8 => world.agent(agent).hold(true),
        9 => world.agent(agent).hold(false),
        0 | 1 => world.agent(agent).hang_up(),
        2 => Some(world.agent(agent).register(0)),
        3 | 4 => Some(world.agent(agent).register(3600)),
        5 => {
            let cut = world.agent(agent).cut;
            world.agent(agent).cut = !cut;
            None
        }
        _ => {
            world.feature_call(agent);
            None
        }
    };
    world.send(said);
}

/// Her phone rings, and this is how she takes it.
pub fn agent_reacts(world: &mut World, agent: usize) {
    let status = match world.roll(10) {
        0..=5 => 200,
        6 => 486,
        7 => 603,
        8 => 500,
        // She lets it ring.
        _ => return,
    };
    if !world.agent(agent).cut {
        let said = world.agent(agent).answer(status);
        world.send(said);
    }
}
