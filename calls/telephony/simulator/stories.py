"""The callers that can be played, as data: whom they dial, what they say first, and how they react."""

from __future__ import annotations

from dataclasses import dataclass

BILLING, CLAIMS, SUPPORT = "+12025550190", "+12025550191", "+12025550192"


@dataclass(frozen=True)
class Reaction:
    """`says` to whatever matches `when` (of what is heard, in lower case), at most `times`."""

    when: str
    says: str
    times: int = 2


@dataclass(frozen=True)
class Story:
    """`lines` are said one by one where no reaction fits; then, and when they are through, `parting` and goodbye.

    `on_hold` is said again and again while nobody listens. `leaves_after`: hangs up without a word after so many
    turns of the other side.
    """

    key: str
    title: str
    about: str
    dials: str
    number: str
    opening: str
    reactions: tuple[Reaction, ...] = ()
    lines: tuple[str, ...] = ()
    with_manager: tuple[str, ...] = ()
    on_hold: str = ""
    parting: str = "Thank you. Goodbye."
    leaves_after: int = 0


def facts(name: str, number: str = "") -> tuple[Reaction, ...]:
    """Says its name, and the account or claim number, when asked; digits apart, as people read them."""
    reactions = [Reaction(r"\byour (full )?name\b|\bwho am i speaking\b", f"My name is {name}.")]
    if number:
        spoken = " ".join(number)
        reactions.insert(0, Reaction(r"\b(account|claim) number\b", f"It is {spoken}."))
    return tuple(reactions)


STORIES = (
    Story(
        key="charged-twice",
        title="Charged twice",
        about="Billing took the money twice; wants to talk to a person.",
        dials=BILLING,
        number="+12025550141",
        opening="Hello. I was charged twice this month, and I would like to speak to a person about it.",
        reactions=facts("Ann Lee", "45129"),
        lines=("I would like to speak to a person, please.", "I will wait, thank you."),
        with_manager=(
            "Hello. I was charged twice this month, and I need the money back.",
            "Thank you, that would help me a lot.",
        ),
    ),
    Story(
        key="claim-manager",
        title="A claim after an accident",
        about="Asks for a manager of Claims after an accident in a car park.",
        dials=CLAIMS,
        number="+12025550142",
        opening="Hello. My car was hit in a car park. I want to talk to a manager in Claims, please.",
        reactions=facts("Bob Stone", "7701"),
        lines=("Please connect me with a manager in Claims.", "Yes, I will wait."),
        with_manager=(
            "Hello. Somebody drove into my parked car, and I need to know what happens next.",
            "All right, I will send you the photos.",
        ),
    ),
    Story(
        key="forgotten-password",
        title="Forgotten password",
        about="Support's AI can solve it: no person is needed.",
        dials=SUPPORT,
        number="+12025550143",
        opening="Hi. I forgot my password and I cannot log in.",
        reactions=facts("Cara Diaz", "88213"),
        lines=("All right, I will use the link on the log in page.",),
        parting="That is all. Thank you, goodbye.",
    ),
    Story(
        key="impatient",
        title="Impatient on hold",
        about="Wants a person at once and speaks while on hold, where nobody listens.",
        dials=BILLING,
        number="+12025550144",
        opening="Hello. My invoice is wrong again. Put me through to a manager right away.",
        reactions=facts("Dick Moss", "30077"),
        lines=("I want to speak to a manager, now.", "Fine, I will wait."),
        with_manager=(
            "At last. My invoice is wrong for the third time.",
            "Good. Please see that it is right now.",
        ),
        on_hold="Hello? Is anybody there? I have been waiting for a long time.",
    ),
    Story(
        key="opening-hours",
        title="Opening hours",
        about="Only asks for the opening hours, and says goodbye.",
        dials=BILLING,
        number="+12025550145",
        opening="Hello. What are your opening hours?",
        reactions=facts("Eve Hart"),
        parting="That is all I wanted to know. Goodbye.",
    ),
    Story(
        key="hangs-up-early",
        title="Hangs up early",
        about="Asks for a person and hangs up before anybody comes.",
        dials=SUPPORT,
        number="+12025550146",
        opening="Hello. My order is lost. Can I talk to a human, please?",
        lines=("Please hurry up.",),
        leaves_after=2,
    ),
    Story(
        key="gives-details",
        title="Gives name and account number",
        about="Answers every question, then asks for a refund and a person in Billing.",
        dials=BILLING,
        number="+12025550147",
        opening="Good morning. I am waiting for a refund.",
        reactions=facts("Frank Wells", "61954"),
        lines=(
            "The refund was promised three weeks ago.",
            "I would like to speak to somebody in Billing, please.",
            "Yes, please.",
        ),
        with_manager=("Hello. I am still waiting for my refund, it was promised three weeks ago.", "Thank you."),
    ),
)
BY_KEY = {story.key: story for story in STORIES}
