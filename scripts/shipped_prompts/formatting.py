"""Formatting: fifty small tasks whose answer must have one form, checked to the letter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Level, prompt, what the answer must be (a text: exactly that, where `alone`; a check otherwise), right, wrong.
Form = tuple[int, str, str | dict[str, Any], str, str]


def _pattern(pattern: str) -> dict[str, Any]:
    return {"grader": "regex", "pattern": pattern}


def _json(answer: Any, schema: dict[str, Any]) -> dict[str, Any]:
    return {"grader": "json_schema", "schema": schema, "answer": answer, "alone": True}


OBJECT, LIST = {"type": "object"}, {"type": "array"}
WORD = r"[A-Za-z'-]+"
FORMS: list[Form] = [
    (1, "Write the word 'garden' in capital letters. Reply with the word only.", "GARDEN", "GARDEN", "Garden"),
    (1, "Repeat exactly this and nothing else: blue-42-fox", "blue-42-fox", "blue-42-fox", "blue 42 fox"),
    (1, "Reply with the single word yes, in small letters.", "yes", "yes", "Yes, of course!"),
    (1, "Put the word lemon in double quotes. Output only that.", '"lemon"', '"lemon"', "lemon"),
    (1, "Write the number five hundred in digits only.", "500", "500", "five hundred"),
    (1, "Answer with any one word and nothing more.", _pattern(WORD + r"[.!]?"), "Sunshine", "How about sunshine?"),
    (1, "Write the letters a, b and c separated by commas, without spaces.", "a,b,c", "a,b,c", "a, b, c"),
    (1, "Print three exclamation marks.", "!!!", "!!!", "!!"),
    (1, "Say OK and nothing else.", _pattern(r"OK\.?"), "OK", "OK, what can I do for you?"),
    (1, "Write the name of a day of the week, in English, with no other text.",
     _pattern(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\.?"), "Tuesday", "My favourite day is Tuesday"),
    (2, "Rewrite 'HELLO WORLD' in small letters, text only.", "hello world", "hello world", "Hello World"),
    (2, "List the numbers 1 to 5 on one line, with a single space between them.", "1 2 3 4 5", "1 2 3 4 5",
     "1, 2, 3, 4, 5"),
    (2, "Join the words 'snow', 'ball' and 'fight' with underscores.", "snow_ball_fight", "snow_ball_fight",
     "snowballfight"),
    (2, "Write the date 3 March 2025 as YYYY-MM-DD, with nothing around it.", "2025-03-03", "2025-03-03", "03/03/2025"),
    (2, "Give me a bulleted list of exactly three fruits: each line begins with '- ' and holds one fruit.",
     _pattern(r"(- [A-Za-z ]+\n){2}- [A-Za-z ]+"), "- apple\n- pear\n- plum", "apple, pear, plum"),
    (2, "Write 0.75 as a percentage, digits and the percent sign only.", "75%", "75%", "0.75%"),
    (2, "Turn 'maria lopez' into title case. Only the name, please.", "Maria Lopez", "Maria Lopez", "MARIA LOPEZ"),
    (2, "Spell the word 'house' with a hyphen between the letters.", "h-o-u-s-e", "h-o-u-s-e", "hou-se"),
    (2, "Output the HTML for the word Hi in bold with the b tag.", "<b>Hi</b>", "<b>Hi</b>", "**Hi**"),
    (2, "Write a Markdown heading of level 2 with the text Results.", "## Results", "## Results", "# Results"),
    (3, "Sort these words alphabetically and join them with commas and no spaces: pear, apple, mango, fig.",
     "apple,fig,mango,pear", "apple,fig,mango,pear", "apple, mango, fig, pear"),
    (3, "Give the time half past two in the afternoon in 24-hour notation, HH:MM only.", "14:30", "14:30", "2:30 pm"),
    (3, "Reverse the order of the letters in 'planet'. Only the result.", "tenalp", "tenalp", "telanp"),
    (3, "Convert to a JSON object with the keys city and country: Lima is in Peru. Output only JSON.",
     _json({"city": "Lima", "country": "Peru"}, OBJECT), '{"city": "Lima", "country": "Peru"}', "city: Lima, country: Peru"),
    (3, "Write the amount 1234567.5 with commas for thousands and two decimals.", "1,234,567.50", "1,234,567.50",
     "1234567.50"),
    (3, "Answer with exactly four words about the sea, without any punctuation.", _pattern(rf"({WORD} ){{3}}{WORD}"),
     "Waves roll towards shore", "The sea is wide, deep and blue."),
    (3, "Turn 'user login count' into camelCase.", "userLoginCount", "userLoginCount", "UserLoginCount"),
    (3, "Write one CSV line with the fields Smith, 42 and London, in this order, without spaces.", "Smith,42,London",
     "Smith,42,London", "Smith;42;London"),
    (3, "Number these steps as '1. ', '2. ' and '3. ', one a line: wash, cut, cook. Nothing else.",
     "1. wash\n2. cut\n3. cook", "1. wash\n2. cut\n3. cook", "- wash\n- cut\n- cook"),
    (3, "Remove all vowels from the word 'education' and give what is left.", "dctn", "dctn", "dctin"),
    (4, "Return a JSON list of the squares of 1, 2, 3 and 4, and no other text.", _json([1, 4, 9, 16], LIST),
     "[1, 4, 9, 16]", "The squares are 1, 4, 9 and 16."),
    (4, "Write a Markdown table with the header row name and age and one row: Ida, 30. Only the table.",
     _pattern(r"\|? ?name *\| *age ?\|?[ \t]*\n\|?[ :|-]+\n\|? ?Ida *\| *30 ?\|?"), "| name | age |\n|---|---|\n| Ida | 30 |",
     "name: Ida, age: 30"),
    (4, "Format the phone number 4155550132 like this: (xxx) xxx-xxxx.", "(415) 555-0132", "(415) 555-0132",
     "415-555-0132"),
    (4, "Write the fraction 7/8 as a decimal with exactly three digits after the point.", "0.875", "0.875", "0.88"),
    (4, "Put these dates in order, the earliest first, one a line, each as YYYY-MM-DD: 5 May 2021, 1 Jan 2022, "
     "30 April 2021.", "2021-04-30\n2021-05-05\n2022-01-01", "2021-04-30\n2021-05-05\n2022-01-01",
     "2021-05-05\n2022-01-01\n2021-04-30"),
    (4, "Write an XML element named note with an attribute lang of value en and the text Hello.",
     _pattern(r"<note lang=[\"']en[\"']>\s*Hello\s*</note>"), '<note lang="en">Hello</note>', "<note>Hello</note>"),
    (4, "Output the key-value pairs a=1, b=2, c=3 as a URL query string, with the question mark.", "?a=1&b=2&c=3",
     "?a=1&b=2&c=3", "a=1&b=2&c=3"),
    (4, "Censor every digit in 'PIN 4071, room 12' with an asterisk and give the whole text back.", "PIN ****, room **",
     "PIN ****, room **", "PIN ***, room **"),
    (4, "Write a valid IPv4 address from the private range 10.0.0.0/8, address only.",
     _pattern(r"10(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}"), "10.1.2.3", "192.168.1.1"),
    (4, "Put the names 'Ana Silva' and 'Ben Cole' into the form LASTNAME, Firstname, one name a line, the last name in "
     "capitals, sorted by last name.", "COLE, Ben\nSILVA, Ana", "COLE, Ben\nSILVA, Ana", "SILVA, Ana\nCOLE, Ben"),
    (5, "Produce a JSON object with the key items: a list of two objects, each with the keys id (1 and 2) and tag ('x' for "
     "both). JSON only.", _json({"items": [{"id": 1, "tag": "x"}, {"id": 2, "tag": "x"}]}, OBJECT),
     '{"items": [{"id": 1, "tag": "x"}, {"id": 2, "tag": "x"}]}', '{"items": [1, 2]}'),
    (5, "Write a sentence of exactly seven words that begins with 'Yesterday' and ends with a full stop; use no other "
     "punctuation.", _pattern(rf"Yesterday( {WORD}){{6}}\."), "Yesterday my old neighbour planted three trees.",
     "Yesterday, it rained all day long here."),
    (5, "Turn the list 'b=2; a=1; c=3' into lines of the form key: value, sorted by key, each value doubled.",
     "a: 2\nb: 4\nc: 6", "a: 2\nb: 4\nc: 6", "a: 1\nb: 2\nc: 3"),
    (5, "Encode the word 'cab' by replacing each letter with its position in the alphabet in two digits, joined by dots.",
     "03.01.02", "03.01.02", "3.1.2"),
    (5, "Write three lines. The first has one star, the second three stars and the third five stars, each line centred "
     "with spaces to a width of five, without trailing spaces.", "  *\n ***\n*****", "  *\n ***\n*****", "*\n***\n*****"),
    (5, "Fill this template and output only the result: '<id>-<YEAR>/<INITIALS>', where the id is 7 padded with zeros to "
     "four digits, the year is 2023 and the initials belong to Lena Maria Okafor.", "0007-2023/LMO", "0007-2023/LMO",
     "7-2023/LO"),
    (5, "Write a JSON object that maps each word of 'to be or not to be' to the number of times it occurs. JSON only.",
     _json({"to": 2, "be": 2, "or": 1, "not": 1}, OBJECT), '{"to": 2, "be": 2, "or": 1, "not": 1}',
     '{"to": 1, "be": 1, "or": 1, "not": 1}'),
    (5, "Write an acrostic of the word SUN: three lines, which begin with S, U and N in this order, each of exactly two "
     "words, no punctuation.", _pattern(rf"S[a-z'-]* {WORD}\nU[a-z'-]* {WORD}\nN[a-z'-]* {WORD}"),
     "Soft light\nUnder clouds\nNever gone", "Soft light\nUnder the clouds\nNever gone"),
    (5, "Merge the two lists [3, 1, 2] and [5, 4, 1] into one, drop repetitions, sort from large to small, and write it "
     "with ' > ' between the numbers.", "5 > 4 > 3 > 2 > 1", "5 > 4 > 3 > 2 > 1", "5, 4, 3, 2, 1, 1"),
    (5, "Write the SQL statement that selects the column name from the table staff where age is above 30, ordered by name, "
     "keywords in capitals, on one line, ending with a semicolon.",
     _pattern(r"SELECT name FROM staff WHERE age ?> ?30 ORDER BY name( ASC)?;"),
     "SELECT name FROM staff WHERE age > 30 ORDER BY name;", "select name from staff where age > 30 order by name;"),
]  # fmt: skip


def rows() -> Iterator[dict[str, Any]]:
    """The rows, in the order of their levels."""
    for level, prompt, form, right, wrong in FORMS:
        check = {"grader": "exact", "answer": form, "alone": True} if isinstance(form, str) else form
        fenced = isinstance(form, dict) and form["grader"] == "json_schema" and level > 4  # noqa: PLR2004 - the hardest
        yield {
            "prompt": prompt,
            "level": level,
            "check": check,
            "right": f"```json\n{json.dumps(json.loads(right), indent=2)}\n```" if fenced else right,
            "wrong": wrong,
        }
