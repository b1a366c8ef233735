"""The fifty functions: level, head, what it does, a right body, a wrong one, and the arguments tried."""

from __future__ import annotations

from typing import Any

Task = tuple[int, str, str, str, str, list[tuple[Any, ...]]]

TASKS: list[Task] = [
    (1, "double(n)", "returns twice the number it is given",
     "return n * 2", "return n * n", [(3,), (0,), (-5,)]),
    (1, "is_even(n)", "says whether a whole number is even (True or False)",
     "return n % 2 == 0", "return n % 2 == 1", [(4,), (7,), (0,), (-3,)]),
    (1, "first_letter(word)", "returns the first character of a non-empty string",
     "return word[0]", "return word[-1]", [("river",), ("x",), ("Zebra",)]),
    (1, "area(width, height)", "returns the area of a rectangle",
     "return width * height", "return 2 * (width + height)", [(3, 5), (10, 1), (7, 0)]),
    (1, "shout(text)", "returns the text in capital letters with one exclamation mark at the end",
     "return text.upper() + '!'", "return text.upper()", [("hello",), ("Go on",), ("",)]),
    (1, "bigger(a, b)", "returns the larger of two numbers",
     "return a if a > b else b", "return a", [(1, 2), (9, 4), (-1, -6), (3, 3)]),
    (1, "total(numbers)", "adds up a list of numbers and gives 0 for an empty list",
     "return sum(numbers)", "return len(numbers)", [([1, 2, 3],), ([],), ([-4, 10],)]),
    (1, "to_minutes(hours)", "converts hours to minutes",
     "return hours * 60", "return hours * 24", [(1,), (3,), (0,)]),
    (1, "greet(name)", "returns the string 'Hello, ' followed by the name",
     "return 'Hello, ' + name", "return 'Hello ' + name", [("Ada",), ("Bo",)]),
    (1, "last_item(items)", "returns the last element of a list that is not empty",
     "return items[-1]", "return items[0]", [([1, 2, 3],), (["a"],), ([4, 9],)]),
    (2, "count_vowels(text)", "counts the vowels a, e, i, o, u in a text, in either case",
     "return sum(c in 'aeiou' for c in text.lower())", "return sum(c in 'aeiou' for c in text)",
     [("Education",), ("RHYTHM",), ("AEIOU",)]),
    (2, "reverse_words(sentence)", "puts the words of a sentence in the opposite order, one space between them",
     "return ' '.join(sentence.split()[::-1])", "return sentence[::-1]", [("one two three",), ("hi",), ("a b",)]),
    (2, "factorial(n)", "returns n! for a whole number n of 0 or more",
     "out = 1\nfor i in range(2, n + 1):\n    out *= i\nreturn out", "return sum(range(n + 1))",
     [(0,), (1,), (5,), (10,)]),
    (2, "celsius_to_fahrenheit(c)", "turns a temperature in degrees Celsius into Fahrenheit",
     "return c * 9 / 5 + 32", "return (c - 32) * 5 / 9", [(0,), (100,), (-40,), (37.5,)]),
    (2, "unique(items)", "drops repeated elements from a list and keeps the first of each, in order",
     "return list(dict.fromkeys(items))", "return sorted(items)", [([3, 1, 3, 2, 1],), ([],), (["b", "a", "b"],)]),
    (2, "is_palindrome(word)", "tells whether a word reads the same in both directions, ignoring case",
     "return word.lower() == word.lower()[::-1]", "return word == word[::-1]", [("Level",), ("stone",), ("Anna",)]),
    (2, "average(numbers)", "gives the mean of a list of numbers, and None if the list is empty",
     "return sum(numbers) / len(numbers) if numbers else None", "return sum(numbers) / (len(numbers) or 1)",
     [([2, 4],), ([],), ([1, 2, 4],)]),
    (2, "only_positive(numbers)", "keeps the numbers above zero, in their order",
     "return [n for n in numbers if n > 0]", "return [n for n in numbers if n >= 0]", [([1, -2, 0, 3],), ([],)]),
    (2, "initials(name)", "returns the upper-case first letters of the words of a name, such as 'AL' for 'ada "
     "lovelace'", "return ''.join(w[0].upper() for w in name.split())", "return name[0].upper()",
     [("ada lovelace",), ("Grace Brewster Hopper",), ("plato",)]),
    (2, "in_range(x, low, high)", "returns True if x lies between low and high, both included, otherwise False",
     "return low <= x <= high", "return low < x < high", [(5, 1, 9), (1, 1, 9), (9, 1, 9), (0, 1, 9)]),
    (3, "is_prime(n)", "decides whether a whole number is prime; 1 and everything below are not",
     "return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))", "return n % 2 == 1",
     [(1,), (2,), (9,), (29,), (91,), (-7,)]),
    (3, "fibonacci(n)", "returns the list of the first n Fibonacci numbers, beginning 0, 1",
     "out, a, b = [], 0, 1\nfor _ in range(n):\n    out.append(a)\n    a, b = b, a + b\nreturn out",
     "return list(range(n))", [(0,), (1,), (8,)]),
    (3, "word_counts(text)", "returns a dictionary from each lower-case word of a text to how often it occurs "
     "(words are separated by spaces)",
     "out = {}\nfor w in text.lower().split():\n    out[w] = out.get(w, 0) + 1\nreturn out",
     "return {w: 1 for w in text.split()}", [("the cat the dog",), ("",), ("Go go GO",)]),
    (3, "second_largest(numbers)", "returns the second largest different value in a list, or None where there is "
     "none", "s = sorted(set(numbers))\nreturn s[-2] if len(s) > 1 else None", "return sorted(numbers)[-2]",
     [([4, 9, 9, 1],), ([5, 5, 3],), ([3, 8],)]),
    (3, "gcd(a, b)", "computes the greatest common divisor of two positive whole numbers",
     "while b:\n    a, b = b, a % b\nreturn a", "return min(a, b)", [(12, 18), (7, 5), (100, 75)]),
    (3, "flatten(rows)", "turns a list of lists into one flat list",
     "return [x for row in rows for x in row]", "return rows", [([[1, 2], [3]],), ([],), ([[], [4]],)]),
    (3, "title_case(text)", "makes the first letter of every word a capital and the others small",
     "return ' '.join(w[:1].upper() + w[1:].lower() for w in text.split(' '))", "return text.upper()",
     [("the quick FOX",), ("a",), ("don't stop",)]),
    (3, "running_total(numbers)", "returns a list in which every element is the sum of all numbers up to there",
     "out, s = [], 0\nfor n in numbers:\n    s += n\n    out.append(s)\nreturn out", "return [sum(numbers)]",
     [([1, 2, 3],), ([],), ([5, -5, 2],)]),
    (3, "are_anagrams(a, b)", "checks whether two words are made of the same letters, ignoring case",
     "return sorted(a.lower()) == sorted(b.lower())", "return set(a) == set(b)",
     [("Listen", "Silent"), ("aab", "abb"), ("cat", "dog")]),
    (3, "chunks(items, size)", "cuts a list into pieces of the given size; the last piece may be shorter",
     "return [items[i:i + size] for i in range(0, len(items), size)]", "return [items[:size], items[size:]]",
     [([1, 2, 3, 4, 5], 2), ([], 3), ([1, 2, 3], 1)]),
    (4, "to_roman(n)", "writes a whole number from 1 to 3999 as a Roman numeral",
     "out = ''\nfor v, s in [(1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'), (100, 'C'), (90, 'XC'), "
     "(50, 'L'), (40, 'XL'), (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]:\n    while n >= v:\n"
     "        out += s\n        n -= v\nreturn out", "return 'I' * n", [(4,), (19,), (1994,), (3999,)]),
    (4, "balanced(text)", "tells whether the brackets (), [] and {} in a text are properly nested and closed",
     "stack = []\nfor c in text:\n    if c in '([{':\n        stack.append(c)\n    elif c in ')]}':\n"
     "        if not stack or '([{'.index(stack.pop()) != ')]}'.index(c):\n            return False\n"
     "return not stack", "return text.count('(') == text.count(')')",
     [("(a[b]{c})",), ("([)]",), (")(",), ("",), ("{{}",)]),
    (4, "binary_search(items, target)", "returns the index of the target in a sorted list without repetitions, "
     "or -1 if it is not there",
     "low, high = 0, len(items) - 1\nwhile low <= high:\n    mid = (low + high) // 2\n"
     "    if items[mid] == target:\n        return mid\n    if items[mid] < target:\n        low = mid + 1\n"
     "    else:\n        high = mid - 1\nreturn -1", "return items.index(target) if target in items else None",
     [([1, 3, 5, 7], 7), ([1, 3, 5, 7], 4), ([], 1), ([2], 2)]),
    (4, "run_length(text)", "compresses a text to character and count, such as 'a3b1' for 'aaab'",
     "out, i = '', 0\nwhile i < len(text):\n    j = i\n    while j < len(text) and text[j] == text[i]:\n"
     "        j += 1\n    out += text[i] + str(j - i)\n    i = j\nreturn out",
     "return ''.join(c + str(text.count(c)) for c in dict.fromkeys(text))", [("aaab",), ("",), ("abab",)]),
    (4, "transpose(matrix)", "swaps rows and columns of a matrix given as a list of equally long lists",
     "return [list(column) for column in zip(*matrix)]", "return matrix[::-1]",
     [([[1, 2, 3], [4, 5, 6]],), ([[7]],), ([[1], [2]],)]),
    (4, "caesar(text, shift)", "moves every letter forward in the alphabet by the shift, around the end, keeping "
     "its case, and leaves other characters alone",
     "out = ''\nfor c in text:\n    if c.isalpha():\n        base = ord('A') if c.isupper() else ord('a')\n"
     "        c = chr((ord(c) - base + shift) % 26 + base)\n    out += c\nreturn out",
     "return ''.join(chr(ord(c) + shift) for c in text)", [("Xyz, abc!", 3), ("Hello", 26), ("b", -2)]),
    (4, "merge_sorted(a, b)", "merges two sorted lists into one sorted list",
     "out, i, j = [], 0, 0\nwhile i < len(a) or j < len(b):\n"
     "    if j == len(b) or (i < len(a) and a[i] <= b[j]):\n        out.append(a[i])\n        i += 1\n"
     "    else:\n        out.append(b[j])\n        j += 1\nreturn out", "return a + b",
     [([1, 4, 6], [2, 3, 7]), ([], [1]), ([2, 2], [2])]),
    (4, "digital_root(n)", "adds the digits of a number again and again until one digit is left",
     "while n > 9:\n    n = sum(int(d) for d in str(n))\nreturn n", "return sum(int(d) for d in str(n))",
     [(9875,), (5,), (99999,), (0,)]),
    (4, "group_by_length(words)", "returns a dictionary from word length to the list of words of that length, "
     "in their order; make the keys strings, such as '3'",
     "out = {}\nfor w in words:\n    out.setdefault(str(len(w)), []).append(w)\nreturn out",
     "return {str(len(w)): [w] for w in words}", [(["a", "to", "be", "cat"],), ([],)]),
    (4, "most_common(items)", "returns the element that occurs most often in a list; of several, the one that "
     "comes first", "return max(items, key=items.count) if items else None", "return max(items)",
     [([1, 2, 2, 3],), (["b", "a", "a", "b"],), ([7],)]),
    (5, "longest_common_subsequence(a, b)", "returns the length of the longest common subsequence of two strings",
     "rows = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]\nfor i, x in enumerate(a):\n"
     "    for j, y in enumerate(b):\n        rows[i + 1][j + 1] = rows[i][j] + 1 if x == y else "
     "max(rows[i][j + 1], rows[i + 1][j])\nreturn rows[-1][-1]", "return len(set(a) & set(b))",
     [("ABCBDAB", "BDCABA"), ("", "x"), ("same", "same"), ("aaa", "aa")]),
    (5, "edit_distance(a, b)", "computes the Levenshtein distance between two strings",
     "row = list(range(len(b) + 1))\nfor i, x in enumerate(a, 1):\n    previous, row[0] = row[0], i\n"
     "    for j, y in enumerate(b, 1):\n        previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, "
     "previous + (x != y))\nreturn row[-1]", "return abs(len(a) - len(b))",
     [("kitten", "sitting"), ("", "abc"), ("flaw", "lawn")]),
    (5, "coin_change(coins, amount)", "returns the smallest number of coins that make up the amount, or -1 if it "
     "cannot be made; every coin may be used any number of times",
     "best = [0] + [None] * amount\nfor n in range(1, amount + 1):\n"
     "    ways = [best[n - c] + 1 for c in coins if c <= n and best[n - c] is not None]\n"
     "    best[n] = min(ways) if ways else None\nreturn -1 if best[amount] is None else best[amount]",
     "count = 0\nfor c in sorted(coins, reverse=True):\n    count += amount // c\n    amount %= c\n"
     "return count if amount == 0 else -1", [([1, 3, 4], 6), ([2], 3), ([1, 5, 10], 0)]),
    (5, "spiral(matrix)", "lists the elements of a matrix in clockwise spiral order from the top left",
     "out = []\nwhile matrix:\n    out += matrix[0]\n    matrix = [list(r) for r in zip(*matrix[1:])][::-1]\n"
     "return out", "return [x for row in matrix for x in row]",
     [([[1, 2, 3], [4, 5, 6], [7, 8, 9]],), ([[1, 2], [3, 4]],), ([],)]),
    (5, "permutations(items)", "returns all orders of a list of different numbers, as a list of lists sorted "
     "from the smallest to the largest",
     "if not items:\n    return [[]]\nitems = sorted(items)\nreturn [[x] + rest for x in items for rest in "
     "permutations([y for y in items if y != x])]", "return [items, items[::-1]]", [([1, 2, 3],), ([],), ([2, 1],)]),
    (5, "evaluate(expression)", "computes an arithmetic expression given as a string of whole numbers, +, -, * "
     "and parentheses, without using eval",
     "text, at = expression.replace(' ', ''), 0\ndef factor():\n    nonlocal at\n    if text[at] == '(':\n"
     "        at += 1\n        value = addition()\n        at += 1\n        return value\n    start = at\n"
     "    while at < len(text) and text[at].isdigit():\n        at += 1\n    return int(text[start:at])\n"
     "def product():\n    nonlocal at\n    value = factor()\n    while at < len(text) and text[at] == '*':\n"
     "        at += 1\n        value *= factor()\n    return value\ndef addition():\n    nonlocal at\n"
     "    value = product()\n    while at < len(text) and text[at] in '+-':\n        sign = text[at]\n"
     "        at += 1\n        value = value + product() if sign == '+' else value - product()\n"
     "    return value\nreturn addition()", "return sum(int(n) for n in expression.split('+'))",
     [("2+3*4",), ("(1+2)*(3-5)",), ("10 - 2 - 3",)]),
    (5, "topological_order(graph)", "orders the nodes of an acyclic graph, given as a dictionary from node to the "
     "list of nodes it must come before, so that all edges point forward; where several nodes could be next it "
     "takes the alphabetically first",
     "need = {n: 0 for n in graph}\nfor targets in graph.values():\n    for t in targets:\n"
     "        need[t] = need.get(t, 0) + 1\nout = []\nwhile need:\n    n = min(k for k, v in need.items() if v == 0)\n"
     "    del need[n]\n    out.append(n)\n    for t in graph.get(n, []):\n        need[t] -= 1\nreturn out",
     "return sorted(graph)", [({"a": ["b"], "b": ["c"], "c": []},), ({"z": ["y"], "y": [], "x": ["z"]},)]),
    (5, "max_subarray(numbers)", "returns the largest sum of a non-empty run of neighbouring numbers in a list",
     "best = here = numbers[0]\nfor n in numbers[1:]:\n    here = max(n, here + n)\n    best = max(best, here)\n"
     "return best", "return sum(n for n in numbers if n > 0)", [([-2, 1, -3, 4, -1, 2, 1, -5, 4],), ([-3, -1],)]),
    (5, "knapsack(weights, values, capacity)", "returns the highest total value of items whose total weight does "
     "not exceed the capacity; each item may be taken once",
     "best = [0] * (capacity + 1)\nfor w, v in zip(weights, values):\n    for c in range(capacity, w - 1, -1):\n"
     "        best[c] = max(best[c], best[c - w] + v)\nreturn best[capacity]", "return max(values)",
     [([1, 3, 4], [15, 20, 30], 4), ([5], [10], 4), ([2, 2, 3], [6, 6, 7], 5)]),
    (5, "merge_intervals(intervals)", "merges overlapping or touching [start, end] intervals and returns them "
     "sorted by start",
     "out = []\nfor start, end in sorted(intervals):\n    if out and start <= out[-1][1]:\n"
     "        out[-1][1] = max(out[-1][1], end)\n    else:\n        out.append([start, end])\nreturn out",
     "return sorted(intervals)", [([[5, 8], [1, 3], [2, 4]],), ([],), ([[1, 4], [4, 5]],)]),
]  # fmt: skip
