"""Parquet footers, taken apart and joined: how row groups of one file are followed by those of another. Pure.

A footer is a struct in Thrift's compact protocol; it is read into plain lists, changed and written again, so that row
groups that are on disk already are copied as bytes and never decoded. Source: the Parquet format's parquet.thrift.
"""

import struct
from typing import Any, TypeAlias

# Any: a Thrift value is an int, bytes, a list or a struct; a struct is a list of [field number, type, value].
Value: TypeAlias = Any
Fields: TypeAlias = list[list[Value]]

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
INTEGERS = (4, 5, 6)  # 16, 32 and 64 bits, all zigzag
ROWS, GROUPS = 3, 4  # fields of FileMetaData
COLUMNS, GROUP_ROWS, GROUP_OFFSET, ORDINAL = 1, 3, 5, 7  # of RowGroup
CHUNK_OFFSET, CHUNK_FACTS = 2, 3  # of ColumnChunk
INDEXES = (4, 6)  # of ColumnChunk: where its page indexes are
PAGE_OFFSETS = (9, 10, 11, 14)  # of ColumnMetaData: data, index and dictionary pages, Bloom filter
START = 4  # a file begins with PAR1


def joined_footer(first: bytes, second: bytes, groups: int, offset: int) -> bytes:
    """Return the footer of a file that has the first `groups` row groups of one file, then all of another.

    Args:
        first: The footer of the file whose row groups come first and stay where they are.
        second: The footer of a file with the same columns.
        groups: How many row groups of the first are kept.
        offset: Where in the new file the bytes that followed PAR1 in the second are written.

    Raises:
        ValueError: A footer is cut off, or holds what Parquet footers don't.
    """
    kept, added = parse(first), parse(second)
    places = field(kept, GROUPS)
    element, before = places[2]
    rows: list[Fields] = before[:groups]
    for number, group in enumerate(field(added, GROUPS)[2][1], groups):
        moved(group, offset - START, number)
        rows.append(group)
    places[2] = (element, rows)
    field(kept, ROWS)[2] = sum(int(field(group, GROUP_ROWS)[2]) for group in rows)
    return written(kept)


def groups_end(footer: bytes, groups: int) -> int:
    """Return where the bytes of the first `groups` row groups end; they are written one after the other."""
    end = START
    for group in field(parse(footer), GROUPS)[2][1][:groups]:
        for chunk in field(group, COLUMNS)[2][1]:
            facts = field(chunk, CHUNK_FACTS)[2]
            starts = [int(entry[2]) for entry in facts if entry[0] in PAGE_OFFSETS[:3]]
            end = max(end, min(starts) + int(field(facts, 7)[2]))  # 7: all its bytes as they are on disk
    return end


def moved(group: Fields, by: int, ordinal: int) -> None:
    """Change a row group's offsets to where it is now, and its number to the one it has now."""
    for entry in group:
        if entry[0] == ORDINAL:
            entry[2] = ordinal
        elif entry[0] == GROUP_OFFSET and entry[2]:
            entry[2] += by
    for chunk in field(group, COLUMNS)[2][1]:
        for entry in chunk:
            if entry[0] in (CHUNK_OFFSET, *INDEXES) and entry[2]:
                entry[2] += by
            elif entry[0] == CHUNK_FACTS:
                for fact in entry[2]:
                    if fact[0] in PAGE_OFFSETS:
                        fact[2] += by


def field(fields: Fields, number: int) -> list[Value]:
    """Return a field of a struct.

    Raises:
        ValueError: It has none of this number.
    """
    for entry in fields:
        if entry[0] == number:
            return entry
    raise ValueError(f"no field {number}")


def parse(data: bytes) -> Fields:
    """Return the struct that these bytes hold."""
    try:
        return _struct(data, 0)[0]
    except (IndexError, struct.error):
        raise ValueError("the footer is cut off") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _struct(data: bytes, at: int) -> tuple[Fields, int]:
    fields: Fields = []
    number = 0
    while True:
        header = data[at]
        at += 1
        if header == 0:
            return fields, at
        if header >> 4:
            number += header >> 4
        else:
            raw, at = _varint(data, at)
            number = (raw >> 1) ^ -(raw & 1)
        kind = header & 0x0F
        value, at = (kind == TRUE, at) if kind in (TRUE, FALSE) else _value(data, at, kind)
        fields.append([number, kind, value])


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in INTEGERS:
        raw, at = _varint(data, at)
        return (raw >> 1) ^ -(raw & 1), at
    if kind == BINARY:
        size, at = _varint(data, at)
        if at + size > len(data):
            raise IndexError
        return data[at : at + size], at + size
    if kind == STRUCT:
        return _struct(data, at)
    if kind in (LIST, SET):
        size, element = data[at] >> 4, data[at] & 0x0F
        at += 1
        if size == 15:
            size, at = _varint(data, at)
        values: list[Value] = []
        for _ in range(size):
            value, at = _value(data, at, BYTE if element in (TRUE, FALSE) else element)
            values.append(value)
        return (element, values), at
    if kind == BYTE:
        return data[at], at + 1
    if kind == DOUBLE:
        return struct.unpack_from("<d", data, at)[0], at + 8
    raise ValueError(f"no type {kind} in a footer")


def written(fields: Fields) -> bytes:
    """Return a struct as bytes."""
    out = bytearray()
    _write_struct(out, fields)
    return bytes(out)


def _write_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_struct(out: bytearray, fields: Fields) -> None:
    before = 0
    for number, kind, value in fields:
        kind = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        if 0 < number - before <= 15:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _write_varint(out, number << 1 ^ number >> 15)
        before = number
        if kind not in (TRUE, FALSE):
            _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Value) -> None:
    if kind in INTEGERS:
        _write_varint(out, value << 1 ^ value >> 63)
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in (LIST, SET):
        element, values = value
        out.append(min(len(values), 15) << 4 | element)
        if len(values) >= 15:
            _write_varint(out, len(values))
        for one in values:
            _write_value(out, BYTE if element in (TRUE, FALSE) else element, one)
    elif kind == BYTE:
        out.append(value)
    else:
        out += struct.pack("<d", value)
