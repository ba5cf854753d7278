"""The twelve rhetoric types: names, families, definitions and the crosswalk to event ontologies.

One table, the single source for code, command line, model cards and docs; the full rules with examples are in
training/CODEBOOK.md. Crosswalk: CAMEO 1.1b3 root codes and PLOVER 0.8 event types, the nearest ones, not
equivalents (CAMEO 17 and PLOVER COERCE code material acts, this taxonomy codes speech).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = [
    "CONFLICT",
    "COOPERATION",
    "FAMILIES",
    "FAMILY_OF",
    "LABELS",
    "TAXONOMY",
    "TAXONOMY_VERSION",
    "RhetoricType",
]

TAXONOMY_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class RhetoricType:
    """One row of the taxonomy.

    Attributes:
        code: Three letters used in annotation files.
        name: The label as the API returns it.
        family: One of `FAMILIES`.
        definition: What makes a sentence carry the label.
        excludes: What looks like it and is not.
        example: An invented sentence that carries it.
        cameo: Nearest CAMEO root codes, or None.
        plover: Nearest PLOVER event types, or None.
    """

    code: str
    name: str
    family: str
    definition: str
    excludes: str
    example: str
    cameo: str | None
    plover: str | None

    def to_dict(self) -> dict[str, str | None]:
        """Plain dict, ready for `json.dumps`."""
        return asdict(self)


FAMILIES: tuple[str, ...] = ("directive", "coercive", "adversarial", "cooperative", "framing")
# The two sides of the conflict–cooperation balance; the other families are on neither.
CONFLICT: tuple[str, ...] = ("coercive", "adversarial")
COOPERATION: tuple[str, ...] = ("cooperative",)

TAXONOMY: tuple[RhetoricType, ...] = (
    RhetoricType(
        code="DEM",
        name="demand",
        family="directive",
        definition="Another actor is required to do or stop something.",
        excludes="inclusive 'we must' and 'should' (appeal); the speaker's own obligations; facts about need",
        example="Ankara must withdraw its troops before any talks can begin.",
        cameo="10 Demand",
        plover="REQUEST (demand mode)",
    ),
    RhetoricType(
        code="APP",
        name="appeal",
        family="directive",
        definition="Another actor is asked, urged, invited or encouraged.",
        excludes="obligation laid on another actor (demand)",
        example="We call on both delegations to return to Geneva.",
        cameo="02 Appeal",
        plover="REQUEST",
    ),
    RhetoricType(
        code="THR",
        name="threat",
        family="coercive",
        definition="Cost or harm for the target is announced or implied.",
        excludes="impersonal dangers; calling an actor a danger (accusation if blamed)",
        example="Any attack on the strait will be met with a crushing response.",
        cameo="13 Threaten",
        plover="THREATEN",
    ),
    RhetoricType(
        code="COE",
        name="coercion",
        family="coercive",
        definition="Coercive pressure is applied, announced, named or condemned.",
        excludes="war as such; the speaker's own easing of pressure (conciliation); sanctions as a mere topic",
        example="They behave like the neighbourhood bully.",
        cameo="16-17 Reduce relations, Coerce",
        plover="SANCTION, COERCE",
    ),
    RhetoricType(
        code="ACC",
        name="accusation",
        family="adversarial",
        definition="An actor is blamed, criticised or condemned.",
        excludes="deploring an event without a culprit; self-criticism; naming a problem",
        example="The junta has broken every promise it made in Nairobi.",
        cameo="11 Disapprove",
        plover="ACCUSE",
    ),
    RhetoricType(
        code="REJ",
        name="rejection",
        family="adversarial",
        definition="A claim, proposal or demand is refused or denied.",
        excludes="any grammatical negation",
        example="The spokesman denied that any such offer had been made.",
        cameo="12 Reject",
        plover="REJECT",
    ),
    RhetoricType(
        code="RES",
        name="resolve",
        family="adversarial",
        definition="Firmness or strength against an adversary is asserted.",
        excludes="determination in a cooperative task (commitment); harm promised to the other (threat)",
        example="We shall not bow to the ultimatum.",
        cameo="15 Force posture (verbal)",
        plover="MOBILIZE (verbal)",
    ),
    RhetoricType(
        code="CON",
        name="conciliation",
        family="cooperative",
        definition="Dialogue, compromise or de-escalation is offered or advanced.",
        excludes="cooperation in general, where there is no dispute or distance to bridge",
        example="We are ready to meet without preconditions.",
        cameo="03-05, 08 Cooperate, Yield",
        plover="CONSULT, AGREE, CONCEDE",
    ),
    RhetoricType(
        code="COM",
        name="commitment",
        family="cooperative",
        definition="The speaker's side pledges positive action or support.",
        excludes="threats; adversarial firmness (resolve); past achievements",
        example="We will go on funding the clinics in the border provinces.",
        cameo="03 Express intent to cooperate",
        plover="SUPPORT, AID (intent)",
    ),
    RhetoricType(
        code="SOL",
        name="solidarity",
        family="cooperative",
        definition="Praise, thanks, welcome, friendship, sympathy or unity is expressed.",
        excludes="pledges (commitment)",
        example="We thank the clinics' staff for their courage.",
        cameo="05 Diplomatic cooperation",
        plover="SUPPORT",
    ),
    RhetoricType(
        code="LEG",
        name="legitimation",
        family="framing",
        definition="A position is grounded in law, principle, history or necessity.",
        excludes="a mere mention of a document, a law or a value as a topic",
        example="Under the Charter, every State has the right to defend itself, and so do we.",
        cameo=None,
        plover=None,
    ),
    RhetoricType(
        code="EVA",
        name="evasion",
        family="framing",
        definition="The speaker declines to answer or commit.",
        excludes="uncertainty about facts in narration; polite courtesies",
        example="The minister said it was too early to discuss dates.",
        cameo=None,
        plover=None,
    ),
)

LABELS: tuple[str, ...] = tuple(row.name for row in TAXONOMY)
FAMILY_OF: dict[str, str] = {row.name: row.family for row in TAXONOMY}
