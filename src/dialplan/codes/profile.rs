//! What profiles say: rules of laws and norms that a line is judged by.

use super::{Code, example};

pub(super) const CODES: [Code; 3] = [
    Code {
        code: "D075",
        title: "a rule of a profile is broken",
        means: "The line is judged by a profile, because `profiles` names it or `onekey check --profile` was typed, and \
            one of its rules is not kept. The message names the rule, the profile, its source, and how sure that source \
            is (A the text itself was seen, B+ several agree, B one). `onekey profiles NAME` lists the rules.",
        callers: "less than the law, the regulator or the standard behind the profile wants for them.",
        repair: "mend the place under the caret, or take the profile out of the line if it does not bind you.",
        example: example!("d075-rule-broken"),
    },
    Code {
        code: "D076",
        title: "a soft rule of a profile is broken",
        means: "The profile only recommends this, or its source could not be confirmed (C), or it is a draft and no law \
            (D). The dialplan is taken.",
        callers: "less than is recommended for them.",
        repair: "mend the place under the caret if you want to follow the recommendation.",
        example: example!("d076-soft-rule"),
    },
    Code {
        code: "D077",
        title: "a rule of a profile is not decidable here",
        means: "The plan does not say enough to tell whether the rule is kept, or no plan can. A profile never passes in \
            silence what nobody has looked at. The dialplan is taken.",
        callers: "perhaps less than the profile wants for them.",
        repair: "write what the message asks for, such as `topics` of a menu, or see for yourself that the rule is kept.",
        example: example!("d077-not-decidable"),
    },
];
