"""National ids of digits only: length, date and check digits, a function each."""

from __future__ import annotations

from collections import Counter

from edgewise.features.detectors.checksums import (
    ean_13,
    is_date,
    is_varied,
    luhn,
    mod_11_10,
    verhoeff,
    weighted,
)

# ruff: noqa: PLR2004 - the numbers are those of each country's rule


def us_ssn(d: str) -> bool:
    """Social Security number: no check digit, only numbers that are never given out."""
    return d[:3] not in {"000", "666"} and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000" and is_varied(d)


def ca_sin(d: str) -> bool:
    """Social Insurance Number."""
    return d[0] != "8" and is_varied(d) and luhn(d)


def uk_nhs(d: str) -> bool:
    """NHS number."""
    check = 11 - weighted(d, range(10, 1, -1)) % 11
    return is_varied(d) and check != 10 and check % 11 == int(d[9])


def de_tax_id(d: str) -> bool:
    """Steueridentifikationsnummer: of the first ten digits just one comes two or three times."""
    often = [times for times in Counter(d[:10]).values() if times > 1]
    return d[0] != "0" and len(often) == 1 and often[0] <= 3 and mod_11_10(d)


def fr_nir(d: str) -> bool:
    """Numéro de sécurité sociale with its key (Corsica's 2A and 2B already made digits)."""
    month = int(d[3:5])
    return d[0] in "123478" and (1 <= month <= 12 or month >= 20) and 97 - int(d[:13]) % 97 == int(d[13:])


def nl_bsn(d: str) -> bool:
    """Burgerservicenummer."""
    return is_varied(d) and weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def be_nrn(d: str) -> bool:
    """Rijksregisternummer, of either century."""
    born = int(d[2:4]) <= 12 and int(d[4:6]) <= 31 and d[2:6] != "0000"
    return born and int(d[9:]) in {97 - int(d[:9]) % 97, 97 - int("2" + d[:9]) % 97}


def pl_pesel(d: str) -> bool:
    """PESEL: the century is in the month."""
    born = is_date(0, int(d[2:4]) % 20, int(d[4:6]))
    return born and weighted(d, (1, 3, 7, 9) * 2 + (1, 3, 1)) % 10 == 0


def se_personnummer(d: str) -> bool:
    """Personnummer of ten or twelve digits; a coordination number's day is 60 higher."""
    ten = d[-10:]
    century = int(d[:4]) if len(d) == 12 else 0
    return is_date(century, int(ten[2:4]), int(ten[4:6]) % 60) and luhn(ten)


def no_fodselsnummer(d: str) -> bool:
    """Fødselsnummer; a D-number's day is 40 higher."""
    first = weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
    second = weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    return is_date(0, int(d[2:4]) % 40, int(d[:2]) % 40) and first and second


def dk_cpr(d: str) -> bool:
    """CPR number: its check digit was given up in 2007, so only the date counts."""
    return is_date(0, int(d[2:4]), int(d[:2]))


def ch_ahv(d: str) -> bool:
    """AHV number: 756 and an EAN-13."""
    return d.startswith("756") and ean_13(d)


def br_cpf(d: str) -> bool:
    """CPF."""
    first = weighted(d, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(d, range(11, 1, -1)) * 10 % 11 % 10
    return is_varied(d) and d[9:] == f"{first}{second}"


def in_aadhaar(d: str) -> bool:
    """Aadhaar."""
    return d[0] not in "01" and is_varied(d) and verhoeff(d)


def jp_my_number(d: str) -> bool:
    """My Number."""
    rest = weighted(d, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return is_varied(d) and int(d[11]) == (0 if rest <= 1 else 11 - rest)


def cn_resident_id(d: str) -> bool:
    """Resident identity number; its last place may be an X."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    born = is_date(int(d[6:10]), int(d[10:12]), int(d[12:14]))
    return born and "10X98765432"[weighted(d[:17], weights) % 11] == d[17].upper()


def kr_rrn(d: str) -> bool:
    """Resident registration number, as given out until October 2020."""
    born = is_date(0, int(d[2:4]), int(d[4:6])) and d[6] in "12345678"
    return born and (11 - weighted(d, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(d[12])


def za_id(d: str) -> bool:
    """South African identity number."""
    return is_date(0, int(d[2:4]), int(d[4:6])) and d[10] in "012" and luhn(d)


def tr_kimlik(d: str) -> bool:
    """Turkish identity number."""
    odd, even = sum(map(int, d[0:9:2])), sum(map(int, d[1:8:2]))
    return d[0] != "0" and (odd * 7 - even) % 10 == int(d[9]) and sum(map(int, d[:10])) % 10 == int(d[10])


def au_tfn(d: str) -> bool:
    """Tax file number."""
    return is_varied(d) and weighted(d, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0
