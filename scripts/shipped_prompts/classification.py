"""Classification: fifty texts to be put into one of a few classes, by letter or by name."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SENTIMENT = ("positive", "negative", "neutral")
# Level, what is asked, the classes, the text, the right class.
Sorted = tuple[int, str, tuple[str, ...], str, str]

TEXTS: list[Sorted] = [
    (1, "Is the sentiment of this review positive or negative?", SENTIMENT[:2],
     "I love this kettle, it is the best I ever had!", "positive"),
    (1, "Classify the sentiment of the sentence.", SENTIMENT[:2], "Terrible food and a rude waiter.", "negative"),
    (1, "Which language is this sentence written in?", ("English", "French", "German"),
     "Où est la gare, s'il vous plaît ?", "French"),
    (1, "Is the following message spam?", ("spam", "not spam"),
     "CONGRATULATIONS!!! You WON 1,000,000 $$$. Click here NOW to claim your prize!", "spam"),
    (1, "What is this sentence about?", ("sports", "cooking", "music"),
     "The striker scored twice in the final and lifted the cup.", "sports"),
    (1, "Sort the thing into a category.", ("animal", "plant", "mineral"), "a golden retriever", "animal"),
    (1, "Is this a question or a statement?", ("question", "statement"), "Where did you put the keys?", "question"),
    (1, "Say what kind of thing this is.", ("fruit", "vehicle", "tool"), "banana", "fruit"),
    (1, "Pick the topic.", ("weather", "politics", "health"), "Heavy rain and thunder are expected tonight.",
     "weather"),
    (1, "Is this customer happy or unhappy?", ("happy", "unhappy"), "Thank you so much, everything works perfectly!",
     "happy"),
    (2, "Decide on the sentiment.", SENTIMENT, "The parcel was delivered on Tuesday at ten.", "neutral"),
    (2, "Which department should get this e-mail?", ("billing", "technical support", "sales"),
     "I was charged twice for March. Please refund one of the payments.", "billing"),
    (2, "What does the writer want?", ("complaint", "request", "praise"),
     "Could you send me the manual for the X200 in Spanish?", "request"),
    (2, "How urgent is this ticket?", ("urgent", "not urgent"),
     "Production is down and nobody can log in since this morning!", "urgent"),
    (2, "Choose the section of the newspaper.", ("business", "travel", "science"),
     "Researchers have measured the mass of the particle with unseen precision.", "science"),
    (2, "Is the tone formal or informal?", ("formal", "informal"), "hey, u coming 2nite or what? lol", "informal"),
    (2, "What does this line of a program log report?", ("error", "warning", "info"),
     "Connection to database established after 12 ms.", "info"),
    (2, "Which emotion is expressed?", ("anger", "joy", "fear"),
     "My hands are shaking, I keep hearing steps behind the door.", "fear"),
    (2, "What sort of text is it?", ("recipe", "poem", "contract"),
     "Whisk the eggs, fold in the sugar and leave the dough to rest.", "recipe"),
    (2, "Which subject does the homework belong to?", ("history", "chemistry", "geography"),
     "Balance the reaction of sodium with water.", "chemistry"),
    (3, "Rate the overall sentiment of the review.", SENTIMENT,
     "Shipping took ages and the box was dented, but the lamp itself is gorgeous and I would buy it again.",
     "positive"),
    (3, "Which intent does the customer have?", ("cancel subscription", "change plan", "update payment"),
     "I don't watch much any more, is there something cheaper that I could move to instead?", "change plan"),
    (3, "Is the statement a fact or an opinion?", ("fact", "opinion"),
     "No city in Europe is as charming in autumn as Prague.", "opinion"),
    (3, "Assign the request to a team.", ("hardware", "network", "accounts"),
     "Since I changed my surname my login shows the old one and colleagues can't find me.", "accounts"),
    (3, "Is the sentence written in the active or in the passive voice?", ("active", "passive"),
     "The bridge was repaired by volunteers over the summer.", "passive"),
    (3, "Is this mail an attempt at phishing?", ("phishing", "legitimate"),
     "Your mailbox will be closed in 24 hours. Confirm your password at http://mail-verify.example-login.biz to keep "
     "it.", "phishing"),
    (3, "Which of these describes the argument?", ("for the proposal", "against the proposal", "undecided"),
     "Closing the street to cars sounds pleasant, but who will then deliver to the shops? I shall vote no.",
     "against the proposal"),
    (3, "Name the literary genre.", ("crime", "science fiction", "romance"),
     "The inspector turned the cup over. There, under the rim, was the smear of lipstick that nobody had explained.",
     "crime"),
    (3, "Which tense is mainly used?", ("past", "present", "future"),
     "By the time you read this I will be on the ship, and the island will vanish behind me.", "future"),
    (3, "What is wrong with the sentence?", ("spelling mistake", "missing verb", "nothing"),
     "The children definately enjoyed the puppet show.", "spelling mistake"),
    (4, "What is the sentiment towards the phone's battery?", SENTIMENT,
     "Great screen and a lovely camera. The battery, well, I carry a charger wherever I go.", "negative"),
    (4, "Judge the sentiment of the post.", SENTIMENT[:2],
     "Oh wonderful, another update that deletes my settings. Just what I needed on a Monday.", "negative"),
    (4, "First: every nurse on this ward works nights. Second: Hanna is a nurse but never works nights. Can Hanna be on "
     "this ward?", ("yes", "no", "cannot be told"), "Judge by the two sentences alone.", "no"),
    (4, "Which severity does the bug have under these rules: critical if data is lost, major if work is blocked, minor "
     "otherwise?", ("critical", "major", "minor"),
     "The export button does nothing, and without it we can't close the month. Nothing was lost.", "major"),
    (4, "Which relation holds between the two events?", ("cause", "contrast", "coincidence"),
     "Although the team had trained all winter, it came last in the spring regatta.", "contrast"),
    (4, "Who is meant by 'she' in the sentence?", ("Marta", "the doctor", "the neighbour"),
     "Marta told the doctor, a tall man, that the neighbour had moved his car before she fell.", "Marta"),
    (4, "Is the speaker sincere or ironic?", ("sincere", "ironic"),
     "Sure, three hours in the queue, that's how I always dreamt of spending my birthday.", "ironic"),
    (4, "Which figure of speech is used?", ("metaphor", "simile", "personification"),
     "The old house groaned and complained all night, and at dawn it fell asleep.", "personification"),
    (4, "Classify the question by the kind of answer it asks for.", ("person", "place", "number", "date"),
     "At what point of the river did the expedition of 1911 turn back?", "place"),
    (4, "Does the customer need an answer from a human? The rule: yes only if money is disputed or somebody is in danger.",
     ("yes", "no"), "The smoke alarm that you sold me beeps every minute, and the manual doesn't say why.", "no"),
    (5, "Does the review recommend the restaurant?", ("recommends", "advises against", "no recommendation"),
     "I had been warned about the noise, the prices and the wait. All true. I have booked again for next week.",
     "recommends"),
    (5, "First: No painting in the hall is older than the hall. Second: The hall was built in 1702, and this painting is "
     "from 1699. What can be said of the third sentence?", ("follows", "is contradicted", "is left open"),
     "This painting hangs in the hall.", "is contradicted"),
    (5, "Label the fallacy.", ("ad hominem", "slippery slope", "circular reasoning"),
     "The report can be trusted because it comes from a reliable source, and we know the source is reliable since it "
     "publishes such trustworthy reports.", "circular reasoning"),
    (5, "Policy: refunds within 30 days if unused; after that, or if used, only if faulty. What is due?",
     ("refund", "no refund"), "I bought the drill six weeks ago, used it once, and the motor burnt out at once.",
     "refund"),
    (5, "Which of the statements is the speaker's own view?", ("the plan will fail", "the plan will work", "none is given"),
     "Our critics never tire of saying that the plan will fail. They said the same of the last three, all of which paid "
     "off handsomely.", "the plan will work"),
    (5, "Is the claim supported by the text? Claim: more than half of the members voted. Text:",
     ("supported", "refuted", "not enough information"),
     "Of those who voted, 61 percent were in favour; 40 members, a quarter of the society, stayed at home, and the "
     "others all cast a ballot.", "supported"),
    (5, "Choose the best description of the trend.", ("rising", "falling", "flat"),
     "Sales grew each quarter, though each time by less than before: 9, 6, 4 and at last 1 percent.", "rising"),
    (5, "Does the speaker like the film?", ("likes it", "dislikes it"),
     "It isn't that I didn't find anything to admire; it's that none of it kept me from looking at my watch.",
     "dislikes it"),
    (5, "Which side does the evidence favour under the rule 'the older document wins unless it is a copy'?",
     ("document A", "document B"),
     "Document A is dated 1640 but is a transcript made in 1810; document B is an original of 1655.", "document B"),
    (5, "Assign the case: privacy if personal data left the company, security if somebody from outside got in, otherwise "
     "operations.", ("privacy", "security", "operations"),
     "A clerk mailed the payroll of all staff to a former colleague by mistake. No system was broken into.", "privacy"),
]  # fmt: skip
LETTERS = "ABCD"
LABELLED = (
    "{question}\n\n{text}\n\nAnswer with one of: {listed}.",
    "{question} Choose from {listed}.\n\nText: {text}",
    'Text: "{text}"\n\n{question} Possible answers: {listed}.',
)
LETTERED = (
    "{question}\n\n{text}\n\n{listed}\n\nAnswer with the letter.",
    "{text}\n\n{question}\n{listed}\nReply with one letter only.",
)


RIGHT = ("({})", "The answer is {}.", "**{}**", "{}")


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels; every second one is answered by letter."""
    dice = Random(7)
    for number, (level, question, classes, text, answer) in enumerate(TEXTS):
        shown = dice.sample(classes, len(classes))
        options = dict(zip(LETTERS, shown, strict=False)) if number % 2 else {name: name for name in shown}
        wrong = dice.choice([name for name in shown if name != answer])
        keys = {name: key for key, name in options.items()}
        yield {
            "prompt": _prompt(number, question, text, options),
            "level": level,
            "check": {
                "grader": "choice",
                "options": options if number % 2 else shown,
                "answer": keys[answer],
            },
            "right": RIGHT[number // 2 % len(RIGHT)].format(keys[answer]),
            "wrong": (f"{keys[wrong]}. {wrong}" if number % 2 else f"I would say {wrong}."),
        }


def _prompt(number: int, question: str, text: str, options: dict[str, str]) -> str:
    orders = LETTERED if number % 2 else LABELLED
    listed = "\n".join(f"{k}) {v}" for k, v in options.items()) if number % 2 else ", ".join(options)
    return orders[number // 2 % len(orders)].format(question=question, text=text, listed=listed)
