//! The parts of the drawing that are the same in every picture: colours, styles, small signs. No colour says anything that
//! a word or a shape does not say too, so that the picture can be printed in black.

use crate::target::StepKind;

/// Of the head of a card; white words stand on it (contrast 5:1 and more).
pub(super) const fn colour(kind: Option<StepKind>) -> &'static str {
    match kind {
        None => "#1f2933",
        Some(StepKind::Menu) => "#1f4e8c",
        Some(StepKind::Play | StepKind::Say) => "#0b6370",
        Some(StepKind::Collect) => "#5b3a94",
        Some(StepKind::Hours) => "#7a5200",
        Some(StepKind::Lookup) => "#86305f",
        Some(StepKind::Set) => "#4d5a66",
        Some(StepKind::Queue) => "#17692f",
        Some(StepKind::Voicemail | StepKind::Callback) => "#9a3c12",
        Some(StepKind::Dial) => "#3a4a9f",
        Some(StepKind::Hangup) => "#3f3f46",
    }
}

pub(super) const STYLE: &str = "\
text{font-family:'DejaVu Sans',Verdana,'Noto Sans','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;fill:#1f2933}\
.t{font-size:26px;font-weight:bold}.u{font-size:13px;fill:#46525e}\
.k{font-size:9.5px;font-weight:bold;letter-spacing:.4px;fill:#fff;fill-opacity:.85}.n{font-size:14px;font-weight:bold;fill:#fff}\
.a{font-size:10.5px;fill:#5a6672;font-style:italic}.i{font-size:11px;fill:#46525e}.l{font-size:12px}\
.p{font-size:11.5px;font-weight:bold;text-anchor:middle}.g{font-size:11px;font-weight:bold}\
.c{font-size:10px;font-weight:bold;fill:#fff;text-anchor:middle}\
.e{fill:none;stroke:#2f3e4d;stroke-width:1.8}.d{fill:none;stroke:#2f3e4d;stroke-width:1.5}\
.f{fill:none;stroke:#7d8894;stroke-width:1.4;stroke-dasharray:6 4}.m{fill:none;stroke:#17692f;stroke-width:3}\
.r{fill:none;stroke:#c3122f;stroke-width:2.6}\
.s{fill:none;stroke:#fff;stroke-width:6}\
.cap{fill:#fff;stroke:#2f3e4d;stroke-width:1.3}.row{stroke:#e3e8ed;stroke-width:1}\
.off{opacity:.62}.b{font-weight:bold}.w{fill:#fff}.h{fill:#17692f}.x{fill:#c3122f}";

/// Signs that are drawn more than once, each around its own middle.
pub(super) const SIGNS: &str = "\
<marker id='ae' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='9' markerHeight='9' markerUnits='userSpaceOnUse' orient='auto'><path d='M0 0.5L10 5L0 9.5z' fill='#2f3e4d'/></marker>\
<marker id='af' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='9' markerHeight='9' markerUnits='userSpaceOnUse' orient='auto'><path d='M0 0.5L10 5L0 9.5z' fill='#7d8894'/></marker>\
<marker id='am' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='12' markerHeight='12' markerUnits='userSpaceOnUse' orient='auto'><path d='M0 0.5L10 5L0 9.5z' fill='#17692f'/></marker>\
<marker id='ar' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='11' markerHeight='11' markerUnits='userSpaceOnUse' orient='auto'><path d='M0 0.5L10 5L0 9.5z' fill='#c3122f'/></marker>\
<g id='person'><circle cy='-3.4' r='3.1'/><path d='M-5.8 6.2C-5.8 1.8 -3.4 0.4 0 0.4S5.8 1.8 5.8 6.2z'/></g>\
<path id='again' d='M4.2 -2.6A5 5 0 1 0 5 1.2M5.4 -5.4L4.4 -2.2L1.2 -3' fill='none' stroke='#2f3e4d' stroke-width='1.5'/>\
<path id='back' d='M5.5 4V-1.5H-5M-1.8 -4.7L-5 -1.5L-1.8 1.7' fill='none' stroke='#2f3e4d' stroke-width='1.5'/>\
<path id='on' d='M-5 0H5M1.8 -3.2L5 0L1.8 3.2' fill='none' stroke='#2f3e4d' stroke-width='1.5'/>\
<circle id='end' r='3' fill='none' stroke='#2f3e4d' stroke-width='1.5'/>";
