"""Extraction: fifty short texts, each with something to be found in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Level, text, question, answer (one text or number, or the fields of an object), a wrong answer.
Found = tuple[int, str, str, Any, Any]

TEXTS: list[Found] = [
    (1, "Name: Olivia Brandt\nRoom: 214\nArrival: Friday", "Which room is Olivia in?", 214, 412),
    (1, "Our office has moved. The new address is 18 Harbour Lane, Whitby.", "In which town is the office now?",
     "Whitby", "Harbour Lane"),
    (1, "Order 55810 has been shipped today.", "What is the order number?", 55810, 5581),
    (1, "The meeting will be chaired by Rosa Lindqvist.", "Who chairs the meeting? Give the full name.",
     "Rosa Lindqvist", "Rosa"),
    (1, "Contact: helpdesk@northwind.example", "Give the e-mail address.", "helpdesk@northwind.example",
     "northwind.example"),
    (1, "Today's soup is pumpkin.", "What kind of soup is served today? One word.", "pumpkin", "tomato"),
    (1, "Tickets cost 12 euros.", "How many euros does a ticket cost?", 12, 21),
    (1, "The winner of the race is Kenji.", "Who won the race?", "Kenji", "nobody"),
    (1, "Password hint: the colour of the old gate, green.", "Which colour is the old gate?", "green", "old"),
    (1, "Flight KL1024 departs from gate B7.", "From which gate does the flight depart?", "B7", "KL1024"),
    (2, "Hi Jonas, the plumber can come on Thursday at 9 or not at all this week. I said yes. Bye, Mira",
     "On which day does the plumber come?", "Thursday", "Friday"),
    (2, "After a long vote the council chose Ash Street rather than Mill Road for the new library.",
     "Which street was chosen for the library?", "Ash Street", "Mill Road"),
    (2, "The hikers set out at dawn, walked 23 kilometres and reached the hut by four in the afternoon.",
     "How many kilometres did they walk?", 23, 4),
    (2, "Invoice\nSubtotal: 180.00\nShipping: 9.50\nTotal: 189.50", "What is the total on the invoice?", 189.5, 180),
    (2, "My sister Paula, who is a nurse, lent her bicycle to our neighbour Igor.", "Who lent the bicycle?",
     "Paula", "Igor"),
    (2, "Call the garage on 0471 556 210 before noon; the car is ready.",
     "What is the telephone number of the garage? Write it as in the text.", "0471 556 210", "0471 556 201"),
    (2, "The lighthouse on Skerry Point was built in 1887 and painted red much later.",
     "In what year was the lighthouse built?", 1887, 1878),
    (2, "Please bring the blue folder, not the yellow one, to the front desk.", "Which colour is the folder to bring?",
     "blue", "yellow"),
    (2, "Doctor Adeyemi sees patients on the second floor; blood samples are taken on the ground floor.",
     "On which floor are blood samples taken?", ["ground floor", "ground", "the ground floor"], "second floor"),
    (2, "The package weighs 3.4 kg and should arrive within two days.", "How heavy is the package, in kg?", 3.4, 2),
    (3, "The committee met in Oslo in May and in Bergen in June. The October meeting was to be in Oslo again but "
     "was moved to Tromso because of a strike.", "Where did the October meeting take place?", "Tromso", "Oslo"),
    (3, "2024-03-11 08:14:02 INFO start\n2024-03-11 08:14:09 WARN disk at 91%\n2024-03-11 08:15:30 ERROR disk full\n"
     "2024-03-11 08:15:31 INFO stop", "At what time (HH:MM:SS) was the error logged?", "08:15:30", "08:14:09"),
    (3, "Ravi first offered 300 for the piano, then 350, and when the seller hesitated they settled on 340.",
     "For how much was the piano sold?", 340, 350),
    (3, "Bake the base for 15 minutes at 180 degrees. Add the filling, lower the heat to 160 degrees and bake for "
     "another 35 minutes.", "At how many degrees is the filled cake baked?", 160, 180),
    (3, "Dear customer, your old contract number was C-7719. From April on please use C-8820 in every letter.",
     "Which contract number should be used in May?", "C-8820", "C-7719"),
    (3, "The band consists of Lea (drums), Tariq (bass), Wendy (guitar) and, since last year, Omar, who took over "
     "the guitar when Wendy moved to the keyboard.", "Who plays the guitar now?", "Omar", "Wendy"),
    (3, "Shop hours: Mon-Fri 8-18, Sat 9-13, closed on Sundays. On the 24th of December we close two hours "
     "earlier than usual. This year the 24th is a Saturday.", "At what hour does the shop close on this year's 24th "
     "of December? Answer with a number.", 11, 13),
    (3, "The novel 'Salt Roads' by Ina Marlow was translated by Pedro Reis and illustrated by Ina's brother Hugh.",
     "Who translated the novel?", "Pedro Reis", "Ina Marlow"),
    (3, "Of the 84 seedlings, 12 froze in March and 5 were eaten by snails. The rest went to the allotment.",
     "How many seedlings were eaten by snails?", 5, 12),
    (3, "From: anna@lake.example\nTo: ben@hill.example\nCc: cleo@sea.example\nSubject: keys\nReply to my other "
     "address please: anna.k@post.example", "To which address should the reply go?", "anna.k@post.example",
     "anna@lake.example"),
    (4, "Dr. Helena Vogt, 52, is a geologist at the University of Bern.",
     "Return a JSON object with the keys name (without title), age and city.",
     {"name": "Helena Vogt", "age": 52, "city": "Bern"}, {"name": "Helena Vogt", "age": 25, "city": "Bern"}),
    (4, "Please send two boxes of A4 paper and one stapler to the third floor.",
     "Return a JSON object from item to number, with the keys paper and stapler.", {"paper": 2, "stapler": 1},
     {"paper": 1, "stapler": 2}),
    (4, "The ferry Aurora leaves Kiel at 18:45 and reaches Oslo at 10:00 the next day.",
     "Give a JSON object with the keys ship, from and to.", {"ship": "Aurora", "from": "Kiel", "to": "Oslo"},
     {"ship": "Aurora", "from": "Oslo", "to": "Kiel"}),
    (4, "For sale: red sofa, three seats, hardly used, 220 euros, pick up in Leiden.",
     "As JSON: the keys colour, seats and price.", {"colour": "red", "seats": 3, "price": 220},
     {"colour": "red", "seats": 3, "price": "unknown"}),
    (4, "Tomorrow: rain in the north with 11 degrees, sunshine in the south with 19.",
     "Write a JSON object with the keys north and south and the temperatures as numbers.", {"north": 11, "south": 19},
     {"north": 19, "south": 11}),
    (4, "Yusuf scored twice and Erik once; Malik saved a penalty.",
     "Return a JSON list of the names of all players who scored.", ["Yusuf", "Erik"], ["Yusuf", "Erik", "Malik"]),
    (4, "Ticket #902: printer on floor 5 jams. Reported by Sandra. Priority: high.",
     "Give a JSON object with the keys ticket (a number), reporter and priority.",
     {"ticket": 902, "reporter": "Sandra", "priority": "high"}, {"ticket": 902, "reporter": "Sandra"}),
    (4, "Ingredients: 250 g flour, 3 eggs, 0.5 l milk, a pinch of salt.",
     "Return JSON with the keys flour_g, eggs and milk_l.", {"flour_g": 250, "eggs": 3, "milk_l": 0.5},
     {"flour_g": 250, "eggs": 3, "milk_l": 5}),
    (4, "Anton lives in Graz, his cousins Mila and Jakub live in Brno, and their uncle lives in Graz too.",
     "Return a JSON list with the names of the people who live in Brno.", ["Mila", "Jakub"], ["Anton"]),
    (4, "The museum is open from 10 to 17 and costs 8 euros, for students half of that.",
     "Return JSON with the keys opens, closes and student_price, all numbers.",
     {"opens": 10, "closes": 17, "student_price": 4}, {"opens": 10, "closes": 17, "student_price": 8}),
    (5, "Minutes of 4 March. Present: Ada, Bo, Chi. Dan sent apologies. Chi left after item 2. Item 3: the budget was "
     "approved by all who were still there.", "Return a JSON list of the people who voted on item 3.", ["Ada", "Bo"],
     ["Ada", "Bo", "Chi"]),
    (5, "We ordered 40 chairs. 6 arrived broken and were sent back; 4 of these were replaced a week later, the others "
     "were refunded.", "How many usable chairs are there in the end?", 38, 34),
    (5, "Petra is older than Quentin. Quentin is older than Ruth but younger than Sam. Sam is younger than Petra.",
     "Return a JSON list of the four names from the oldest to the youngest.", ["Petra", "Sam", "Quentin", "Ruth"],
     ["Petra", "Quentin", "Sam", "Ruth"]),
    (5, "The lease begins on 1 June 2023 and runs for 18 months. Notice must be given three months before its end.",
     "What is the last day of the lease? Write it as YYYY-MM-DD.", "2024-11-30", "2024-12-01"),
    (5, "To whom it may concern: the undersigned, formerly Clara Weiss and since her marriage Clara Novak, revokes the "
     "power of attorney given to her brother Emil Weiss on 3 May and grants it to her husband Marek instead.",
     "Give a JSON object: holder (who holds the power of attorney now, first name) and signer (her current full name).",
     {"holder": "Marek", "signer": "Clara Novak"}, {"holder": "Emil", "signer": "Clara Novak"}),
    (5, "Sensor A reported 21.5, 21.7 and 29.9; the last value came after it fell on the floor and is to be ignored. "
     "Sensor B reported 20.9 and 21.1.", "What is the highest valid reading?", 21.7, 29.9),
    (5, "Alex: lunch at 12?\nKim: I have a call until 12:30\nAlex: then 15 minutes after your call?\nKim: make it half "
     "an hour, I need to walk over\nAlex: fine", "At what time do they meet? Write HH:MM.", ["13:00", "1:00 pm"], "12:45"),
    (5, "Shipment 1: 4 crates of pears, 2 of plums. Shipment 2: 3 crates of plums. One crate of pears from shipment 1 "
     "was rejected.", "Return JSON with the keys pears and plums: the number of crates accepted in total.",
     {"pears": 3, "plums": 5}, {"pears": 4, "plums": 5}),
    (5, "The prize of 9000 was split between the three authors, but Lund gave her share to Okoro, and Silva gave half of "
     "his to charity.", "How much did Okoro have in the end?", 6000, 3000),
    (5, "Version 2.1 fixed the crash reported in 1.9. Version 2.0 had introduced a login bug that 2.2 removed. The crash "
     "came back in 2.3.", "Return a JSON list of the versions, out of 2.0, 2.1, 2.2 and 2.3, in which neither the crash "
     "nor the login bug is present. Versions are strings.", ["2.2"], ["2.1", "2.2"]),
]  # fmt: skip
ORDERS = (
    "{text}\n\n{question}",
    "Read the following text and answer the question.\n\nText: {text}\n\nQuestion: {question}",
    "{question}\n\n---\n{text}\n---",
    'Here is a short text:\n"{text}"\n{question} Reply with the answer only.',
    "{text}\n\nFrom the text above: {question}",
)
RIGHT = ("The answer is {}.", "{}", "**{}**", "Answer: {}")


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels."""
    for number, (level, text, question, answer, wrong) in enumerate(TEXTS):
        yield {
            "prompt": ORDERS[number % len(ORDERS)].format(text=text, question=question),
            "level": level,
            "check": _check(answer),
            "right": _said(answer, number),
            "wrong": _said(wrong, number + 1),
        }


def _check(answer: Any) -> dict[str, Any]:
    if isinstance(answer, (int, float)):
        return {"grader": "numeric", "answer": answer}
    if isinstance(answer, str):
        return {"grader": "exact", "answer": answer}
    if (isinstance(answer, list) and "ground" in answer) or answer == ["13:00", "1:00 pm"]:
        return {"grader": "exact", "answer": answer}
    return {"grader": "json_schema", "schema": _schema(answer), "answer": answer}


def _schema(answer: Any) -> dict[str, Any]:
    if isinstance(answer, list):
        return {"type": "array", "items": {"type": "string"}}
    kinds = {
        name: {"type": "string" if isinstance(value, str) else "number"} for name, value in answer.items()
    }
    return {"type": "object", "properties": kinds, "required": list(answer)}


def _said(answer: Any, number: int) -> str:
    if isinstance(answer, dict) or (isinstance(answer, list) and not {"ground", "13:00"} & set(answer)):
        text = json.dumps(answer)
        return text if number % 2 else f"Here is the JSON:\n\n```json\n{text}\n```"
    if isinstance(answer, list):
        answer = answer[0]
    return RIGHT[number % len(RIGHT)].format(answer)
