//! Session descriptions (RFC 8866) and their offer/answer (RFC 3264), for one G.711 audio stream with RFC 4733 events.
//!
//! `sdp-types` reads and writes the lines; what is taken of them is decided here. Only the lines that matter for audio
//! are looked at, so that a phone's odd `o=` or `b=` costs nobody a call. ICE, SRTP and feedback profiles are refused
//! by their `m=` line. Where the media really comes from is left to the media plane's latching.

use crate::codec::{Codec, Direction, FRAME_MS, SAMPLE_RATE_HZ, StreamFormat};
use sdp_types::{Attribute, Connection, Media, MediaType, Origin, RtpMap, TransportProto};
use std::net::{IpAddr, SocketAddr};

/// Payload type of RFC 4733 events in our offers; in an answer the peer's number stands.
pub const TELEPHONE_EVENT: u8 = 101;
/// Most `m=` lines that are answered; each costs a line in the answer.
pub const MEDIA_LINES_MAX: usize = 32;

/// Our side of a description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalMedia {
    /// What stands in `c=`: the advertised address or the local one.
    pub address: IpAddr,
    pub port: u16,
    /// Accepted, best first. In an answer the peer's order decides among these (its first match).
    pub codecs: Vec<Codec>,
    pub direction: Direction,
    /// `o=` session id; the same for the whole dialog.
    pub session_id: u64,
    /// `o=` version; one more with each changed description.
    pub version: u64,
}

/// Why an offer or answer cannot be used; the INVITE is refused with this status (400 unreadable, 488 not acceptable).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub status: u16,
    pub reason: String,
}

impl Refused {
    fn new(status: u16, reason: impl ToString) -> Refused {
        Refused { status, reason: reason.to_string() }
    }
}

/// The answer to an offer, and what was agreed: the first usable audio stream; each other is refused by port 0 in its place
/// (RFC 3264 §6).
pub fn answer(offer: &[u8], local: &LocalMedia) -> Result<(Vec<u8>, StreamFormat), Refused> {
    let offer = parse(offer)?;
    if offer.medias.len() > MEDIA_LINES_MAX {
        return Err(Refused::new(488, "too many media lines"));
    }
    let mut chosen = None;
    let mut medias = Vec::new();
    for media in &offer.medias {
        let format = agreed(&offer, media, local).filter(|_| chosen.is_none());
        medias.push(match &format {
            Some(format) => audio(local, &[(format.codec, format.payload_type)], format),
            None => Media { port: 0, num_ports: None, ..bare(&media.media, &media.proto, media.fmt.clone()) },
        });
        chosen = chosen.or(format);
    }
    let format = chosen.ok_or_else(|| Refused::new(488, "no usable audio (RTP/AVP with PCMU or PCMA)"))?;
    Ok((description(local, medias), format))
}

/// An offer of ours. It does not propose rtcp-mux: phones that do not know it are the rule.
pub fn offer(local: &LocalMedia) -> Vec<u8> {
    let codecs: Vec<(Codec, u8)> = local.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
    let format = StreamFormat {
        codec: Codec::Pcmu,
        payload_type: 0,
        telephone_event: Some(TELEPHONE_EVENT),
        direction: local.direction,
        remote: None,
        remote_rtcp: None,
        rtcp_mux: false,
    };
    description(local, vec![audio(local, &codecs, &format)])
}

/// What the answer to our offer settled.
pub fn settled(offered: &LocalMedia, answer: &[u8]) -> Result<StreamFormat, Refused> {
    let answer = parse(answer)?;
    let media = answer.medias.first().ok_or_else(|| Refused::new(488, "an answer without media"))?;
    let format =
        agreed(&answer, media, offered).ok_or_else(|| Refused::new(488, "the answer takes no audio of ours"))?;
    // Not offered, so not agreed, whatever the answer says (RFC 5761 §5.1.1).
    let remote_rtcp = format.remote.and_then(|remote| rtcp_address(media, remote, false));
    Ok(StreamFormat { rtcp_mux: false, remote_rtcp, ..format })
}

/// Where the peer says that its media comes from; for trust decisions before an answer is made.
pub fn remote_address(description: &[u8]) -> Option<SocketAddr> {
    let session = parse(description).ok()?;
    let media = session.medias.iter().find(|media| is_audio(media))?;
    remote(&session, media)?
}

fn parse(description: &[u8]) -> Result<sdp_types::Session, Refused> {
    sdp_types::Session::parse(&needed_lines(description)).map_err(|error| Refused::new(400, error))
}

/// The lines that are used, and those that are no SDP at all (which shall be an error). Bytes that are not UTF-8 become `?`.
fn needed_lines(description: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(description.len());
    for line in description.split(|&byte| byte == b'\n') {
        let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != 0).collect();
        let line = line.trim_ascii_end();
        let unused = line.len() > 1 && line[1] == b'=' && !b"vcma".contains(&line[0]);
        if unused || line.is_empty() {
            continue;
        }
        for chunk in line.utf8_chunks() {
            lines.extend_from_slice(chunk.valid().as_bytes());
            lines.extend(chunk.invalid().iter().map(|_| b'?'));
        }
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

fn is_audio(media: &Media) -> bool {
    media.media.eq_ignore_ascii_case("audio") && media.port != 0 && media.proto.eq_ignore_ascii_case("RTP/AVP")
}

/// What both sides can do on this `m=` line.
fn agreed(session: &sdp_types::Session, media: &Media, local: &LocalMedia) -> Option<StreamFormat> {
    if !is_audio(media) {
        return None;
    }
    let remote = remote(session, media)?;
    let formats = || media.fmt.split_ascii_whitespace().filter_map(|format| format.parse().ok());
    let (codec, payload_type) = formats().find_map(|number| {
        codec_of(media, number).filter(|codec| local.codecs.contains(codec)).map(|codec| (codec, number))
    })?;
    let telephone_event = formats().find(|number| is_telephone_event(media, *number));
    let mut peer = direction(media).or_else(|| of_attributes(&session.attributes)).unwrap_or_default();
    if remote.is_none() {
        // The old form of hold: nothing may be sent to it (RFC 3264 §8.4).
        peer = direction_of(peer.sends(), false);
    }
    let ours = peer.reversed();
    let direction =
        direction_of(ours.sends() && local.direction.sends(), ours.receives() && local.direction.receives());
    let rtcp_mux = media.attributes.iter().any(|attribute| attribute.attribute == "rtcp-mux");
    let remote_rtcp = remote.and_then(|remote| rtcp_address(media, remote, rtcp_mux));
    Some(StreamFormat { codec, payload_type, telephone_event, direction, remote, remote_rtcp, rtcp_mux })
}

/// Outer `None`: no address that media can be sent to. Inner `None`: the null address of an old hold.
fn remote(session: &sdp_types::Session, media: &Media) -> Option<Option<SocketAddr>> {
    let connection = media.connections.first().or(session.connection.as_ref())?;
    let address = connection.try_address().ok()?.ip.to_canonical();
    // A group of receivers is nothing that a stranger may make us send to.
    if address.is_multicast() || address == IpAddr::from([255; 4]) {
        return None;
    }
    Some((!address.is_unspecified()).then_some(SocketAddr::new(address, media.port)))
}

/// `a=rtcp` (RFC 3605), the same port with rtcp-mux (RFC 5761), else the next port (RFC 3550 §11).
fn rtcp_address(media: &Media, remote: SocketAddr, mux: bool) -> Option<SocketAddr> {
    if mux {
        return Some(remote);
    }
    let named = media.attributes.iter().find(|attribute| attribute.attribute == "rtcp");
    if let Some(rtcp) = named.and_then(|rtcp| rtcp.value.as_ref()?.parse::<sdp_types::Rtcp>().ok()) {
        let address = rtcp.try_address().and_then(Result::ok).map_or(remote.ip(), |address| address.ip.to_canonical());
        let usable = rtcp.port != 0 && !address.is_multicast() && !address.is_unspecified();
        return usable.then_some(SocketAddr::new(address, rtcp.port));
    }
    Some(SocketAddr::new(remote.ip(), remote.port().checked_add(1)?))
}

/// By `a=rtpmap`, or by RFC 3551 where there is none.
fn codec_of(media: &Media, number: u8) -> Option<Codec> {
    let Some(map) = rtpmap(media, number) else { return Codec::from_payload_type(number) };
    let mono = map.encoding_params.as_deref().is_none_or(|channels| channels.trim() == "1");
    let fits = map.clock_rate == SAMPLE_RATE_HZ && mono;
    [Codec::Pcmu, Codec::Pcma].into_iter().find(|codec| fits && codec.name().eq_ignore_ascii_case(&map.encoding_name))
}

fn is_telephone_event(media: &Media, number: u8) -> bool {
    rtpmap(media, number).is_some_and(|map| {
        map.encoding_name.eq_ignore_ascii_case("telephone-event") && map.clock_rate == SAMPLE_RATE_HZ
    })
}

fn rtpmap(media: &Media, number: u8) -> Option<RtpMap> {
    let maps = media.attributes.iter().filter(|attribute| attribute.attribute.eq_ignore_ascii_case("rtpmap"));
    maps.filter_map(|map| map.value.as_ref()?.trim().parse::<RtpMap>().ok()).find(|map| map.payload_type == number)
}

fn direction(media: &Media) -> Option<Direction> {
    of_attributes(&media.attributes)
}

fn of_attributes(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| match attribute.attribute.as_str() {
        "sendrecv" => Some(Direction::SendReceive),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::ReceiveOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    })
}

fn direction_of(sends: bool, receives: bool) -> Direction {
    match (sends, receives) {
        (true, true) => Direction::SendReceive,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::ReceiveOnly,
        (false, false) => Direction::Inactive,
    }
}

/// Our audio stream with these codecs and what else `format` says.
fn audio(local: &LocalMedia, codecs: &[(Codec, u8)], format: &StreamFormat) -> Media {
    let numbers = codecs.iter().map(|(_, number)| *number).chain(format.telephone_event);
    let list: Vec<String> = numbers.map(|number| number.to_string()).collect();
    let mut media = bare(MediaType::Audio.as_str(), TransportProto::RtpAvp.as_str(), list.join(" "));
    media.port = local.port;
    for (codec, number) in codecs {
        media.add_attribute(RtpMap::new(*number, codec.name(), SAMPLE_RATE_HZ));
    }
    if let Some(number) = format.telephone_event {
        media.add_attribute(RtpMap::new(number, "telephone-event", SAMPLE_RATE_HZ));
        // The sixteen keys (RFC 4733 §2.4.1, table 3).
        media.add_attribute_with_value("fmtp", format!("{number} 0-15"));
    }
    media.add_attribute_with_value("ptime", FRAME_MS);
    media.add_attribute_from_str(match format.direction {
        Direction::SendReceive => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::ReceiveOnly => "recvonly",
        Direction::Inactive => "inactive",
    });
    if format.rtcp_mux {
        media.add_attribute_from_str("rtcp-mux");
    }
    media
}

fn bare(media: &str, proto: &str, formats: String) -> Media {
    Media {
        media: media.to_owned(),
        port: 0,
        num_ports: None,
        proto: proto.to_owned(),
        fmt: formats,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn description(local: &LocalMedia, medias: Vec<Media>) -> Vec<u8> {
    let origin = Origin::with_ip_addr(local.session_id, local.version, local.address);
    let mut session = sdp_types::Session::new(origin, "-");
    session.connection = Some(Connection::from_ip_addr(local.address));
    session.times = vec![sdp_types::Time::new(0, 0)];
    session.medias = medias;
    session.to_string().into_bytes()
}

#[cfg(test)]
#[path = "sdp_tests.rs"]
mod tests;
