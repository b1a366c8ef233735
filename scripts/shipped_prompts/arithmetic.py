"""Arithmetic: fifty sums, ten a level, each with the working that its answer is computed from."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUMS: dict[int, list[tuple[str, str, float]]] = {
    1: [
        ("What is 7 + 5?", "7 + 5", 13),
        ("Take 9 away from 16. What is left?", "16 - 9", 25),
        ("How much is 6 times 4?", "6 * 4", 10),
        ("Tom has 3 apples and buys 8 more. How many apples does Tom have?", "3 + 8", 12),
        ("Share 20 sweets equally among 5 children. How many does each child get?", "20 / 5", 5),
        ("What number is twice 9?", "2 * 9", 11),
        ("A bus has 14 passengers and 6 get off. How many are still on board?", "14 - 6", 20),
        ("Add up 2, 4 and 9.", "2 + 4 + 9", 14),
        ("A spider has eight legs. How many legs do 3 spiders have?", "8 * 3", 11),
        ("What is half of 18?", "18 / 2", 36),
    ],
    2: [
        ("Calculate 47 + 38.", "47 + 38", 75),
        ("What do you get if you subtract 56 from 103?", "103 - 56", 57),
        ("A crate holds 12 bottles. How many bottles are in 11 crates?", "12 * 11", 122),
        ("Divide 144 by 9.", "144 / 9", 15),
        ("Nadia read 28 pages on Monday and 45 on Tuesday. How many pages is that altogether?", "28 + 45", 63),
        ("A rope of 90 metres is cut into 6 equal pieces. How long is one piece, in metres?", "90 / 6", 84),
        ("The cinema has 15 rows with 14 seats each. How many seats is that?", "15 * 14", 29),
        ("There were 81 birds on the wire. 37 flew away. How many stayed?", "81 - 37", 54),
        ("Compute 25 × 8.", "25 * 8", 33),
        ("How many minutes are there in 4 hours?", "4 * 60", 400),
    ],
    3: [
        ("A notebook costs 3 dollars and a pen costs 2 dollars. What do 4 notebooks and 5 pens cost together, "
         "in dollars?", "4 * 3 + 5 * 2", 25),
        ("Work out 18 + 6 × 7. Mind the order of operations.", "18 + 6 * 7", 168),
        ("Lena had 50 euros. She bought two tickets at 13 euros each. How many euros are left?",
         "50 - 2 * 13", 37),
        ("A farmer packs eggs in boxes of 12. He has 100 eggs. How many eggs remain after filling as many "
         "boxes as he can?", "100 % 12", 8),
        ("What is (34 - 19) × 6?", "(34 - 19) * 6", 220),
        ("A train leaves with 120 people. At the first stop 35 get off and 18 get on. How many people are on "
         "the train now?", "120 - 35 + 18", 85),
        ("The sides of a rectangle are 14 cm and 9 cm. What is its perimeter in cm?", "2 * (14 + 9)", 126),
        ("Three friends split a bill of 87 dollars evenly and each adds a tip of 4 dollars. How many dollars "
         "does each of them pay?", "87 / 3 + 4", 29),
        ("Compute 15 squared.", "15 * 15", 30),
        ("A gardener plants 7 rows of 13 tulips. 16 of the tulips do not bloom. How many bloom?",
         "7 * 13 - 16", 91),
    ],
    4: [
        ("What is 35% of 240?", "240 * 35 / 100", 205),
        ("A jacket that costs 80 pounds is reduced by 15%. What is the new price in pounds?",
         "80 - 80 * 15 / 100", 12),
        ("A car drives at 72 km per hour for 2.5 hours. How many kilometres does it cover?", "72 * 2.5", 144),
        ("The average of four numbers is 17. Three of them are 12, 20 and 15. What is the fourth?",
         "4 * 17 - 12 - 20 - 15", 17),
        ("Five painters need 12 days for a hall. How many days would 6 painters need at the same pace?",
         "5 * 12 / 6", 14.4),
        ("A tank holds 450 litres and is two thirds full. How many litres are missing until it is full?",
         "450 / 3", 300),
        ("A film starts at 19:40 and lasts 135 minutes. How many minutes past 21:00 does it end?",
         "19 * 60 + 40 + 135 - 21 * 60", 15),
        ("Solve for x: 5x - 12 = 48.", "(48 + 12) / 5", 7.2),
        ("A recipe for 4 people needs 300 g of flour. How many grams are needed for 10 people?",
         "300 * 10 / 4", 3000),
        ("On a map of scale 1:50000 two villages lie 7 cm apart. How many kilometres is that in reality?",
         "7 * 50000 / 100000", 35),
    ],
    5: [
        ("A shop sells 240 loaves a day at 3 dollars each. On Saturday it sells 25% more loaves but lowers "
         "the price by 50 cents. How many dollars does it take in on Saturday?", "240 * 1.25 * 2.5", 900),
        ("1200 dollars are saved at 5% interest a year, compounded yearly. How many dollars are there after "
         "two years?", "1200 * 1.05 * 1.05", 1320),
        ("Two taps fill a pool: the first alone in 6 hours, the second alone in 3 hours. How many hours do "
         "they need together?", "6 * 3 / (6 + 3)", 4.5),
        ("A cyclist rides 30 km at 15 km/h and then another 30 km at 30 km/h. What is the average speed over "
         "the whole ride, in km/h?", "60 / (30 / 15 + 30 / 30)", 22.5),
        ("A number is doubled, then 9 is added, then the result is divided by 5, which gives 11. What was "
         "the number?", "(11 * 5 - 9) / 2", 32),
        ("Maria is three times as old as her son. In 12 years she will be twice as old as he is then. How "
         "old is Maria now?", "3 * 12", 12),
        ("What is the sum of all whole numbers from 1 to 60?", "60 * 61 / 2", 1800),
        ("A phone plan costs 15 euros a month plus 8 cents for every minute above 200. Someone talks for 340 "
         "minutes in May. What is the bill for May in euros?", "15 + 140 * 0.08", 42.2),
        ("How many different committees of 3 people can be chosen from 8 people?", "8 * 7 * 6 / 6", 336),
        ("Water makes up 80% of 50 kg of fresh mushrooms. After drying, water makes up 50% of the weight. "
         "What do the dried mushrooms weigh, in kg?", "50 * 20 / 100 / (50 / 100)", 25),
    ],
}  # fmt: skip
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
RIGHT = (
    "The answer is {}.",
    "{}",
    "**Answer: {}**",
    r"So we get \boxed{{{}}}.",
    "First I work it out. It is {}.",
)
WRONG = ("The answer is {}.", "{}", "I think it is {}.", "= {}")


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels."""
    for level, sums in SUMS.items():
        for number, (prompt, working, wrong) in enumerate(sums):
            answer = round(worked_out(working), 9)
            plain = int(answer) if answer == int(answer) else answer
            yield {
                "prompt": prompt,
                "level": level,
                "check": {"grader": "numeric", "answer": plain},
                "working": working,
                "right": RIGHT[number % len(RIGHT)].format(plain),
                "wrong": WRONG[number % len(WRONG)].format(wrong),
            }


def worked_out(working: str) -> float:
    """What an expression of numbers comes to."""
    return _value(ast.parse(working, mode="eval").body)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(int() | float() as value):
            return value
        case ast.BinOp(left, sign, right):
            return OPERATORS[type(sign)](_value(left), _value(right))
        case _:
            raise ValueError(ast.dump(node))
