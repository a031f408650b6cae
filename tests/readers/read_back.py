"""Reads larder's files with other people's programs. Usage: read_back.py LIBRARY_OF_SAMPLES READER"""
import ctypes
import datetime
import json
import math
import sys
import tempfile

FOLDER = tempfile.TemporaryDirectory()


def path(name):
    return f"{FOLDER.name}/{name}"


def numpy_reader(_):
    import numpy

    nan = numpy.nan
    matrix = numpy.array([[0.5, 0], [nan, 3], [-2, nan]])
    numpy.testing.assert_array_equal(numpy.load(path("matrix.npy")), matrix.astype(numpy.float32))
    for name, dtype in (("stored.npz", numpy.float32), ("packed.npz", numpy.float64)):
        with numpy.load(path(name)) as arrays:  # allow_pickle is off
            assert arrays["X"].dtype == dtype
            numpy.testing.assert_array_equal(arrays["X"], matrix.astype(dtype))
            assert arrays["mask"].dtype == bool
            masked = numpy.ma.array(arrays["X"], mask=arrays["mask"])
            assert masked.count() == 4 and masked.sum() == 1.5
            assert list(arrays["names"]) == ["x", "n"]
            assert str(arrays["null_rule"][0]) == "nan"
            assert list(arrays["y"]) == [1, 0, 1] and not arrays["y_mask"].any()
            assert list(arrays["query"]) == [1, 1, 2]
            assert list(arrays["columns/user"]) == ["ann", "", "bob"]
            assert list(arrays["columns/user.mask"]) == [False, True, False]
            assert arrays["columns/at"][0] == numpy.datetime64("2023-11-14T22:13:20.000000")


def sklearn_reader(_):
    from sklearn.datasets import load_svmlight_file

    for name in ("matrix.libsvm", "matrix.libsvm.gz"):
        x, y, query = load_svmlight_file(path(name), query_id=True, zero_based=False)
        assert x.toarray().tolist() == [[0.5, 0], [0, 3], [-2, 0]]
        assert x.nnz == 4  # a zero is written, a null is not there
        assert y.tolist() == [1, 0, 1] and query.tolist() == [1, 1, 2]


EVERY_TYPE = {
    "bool": [True, False, None],
    "int32": [-1, -2147483648, None],
    "int64": [None, -9223372036854775808, 7],
    "uint64": [18446744073709551615, None, 0],
    "string": ["", None, 'l\u00e9"\n\t\x01, \U0001F600'],
}


def same_float(found, expected):
    return found == expected or (math.isnan(found) and math.isnan(expected))


def duckdb_reader(_):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for name in ("rows.csv", "rows.csv.gz"):
        rows = connection.execute(
            f"""select bool, int32, int64, uint64, string, epoch_us(timestamp), float64, float32
            from read_csv('{path(name)}', header=true, delim=',', quote='"', escape='"',
            strict_mode=true, allow_quoted_nulls=false, auto_detect=false, columns={{
            'bool':'BOOL','int32':'INT','int64':'BIGINT','uint64':'UBIGINT','float32':'FLOAT',
            'float64':'DOUBLE','string':'VARCHAR','bytes':'VARCHAR','timestamp':'TIMESTAMPTZ','date':'DATE',
            'duration':'VARCHAR','vector':'VARCHAR','bytevector':'VARCHAR','list':'VARCHAR',
            'words':'VARCHAR','map':'VARCHAR'}})"""
        ).fetchall()
        check_rows(rows)
    for name in ("rows.ndjson", "rows.ndjson.gz"):
        rows = connection.execute(
            f"""select bool, int32, int64, uint64, string, epoch_us(timestamp::timestamptz),
            float64::double, float32::float, list, vector, map from read_ndjson('{path(name)}', columns={{
            'bool':'BOOL','int32':'INT','int64':'BIGINT','uint64':'UBIGINT','float32':'DOUBLE',
            'float64':'VARCHAR','string':'VARCHAR','timestamp':'VARCHAR','list':'BIGINT[]',
            'vector':'DOUBLE[]','map':'MAP(VARCHAR, DOUBLE)'}})"""
        ).fetchall()
        check_rows(rows)
        assert [row[8] for row in rows] == [[1, None, -3], None, []]
        assert [row[9] for row in rows] == [[1.5, -0.1], None, [0, 2]]
        assert rows[0][10] == {'a"b': 0.5, "c": 2.0}
    with open(path("rows.ndjson"), encoding="utf-8") as lines:
        for line in lines:
            json.loads(line, parse_constant=lambda word: 1 / 0)  # NaN without quotes is no JSON


def check_rows(rows):
    for i, name in enumerate(EVERY_TYPE):
        assert [row[i] for row in rows] == EVERY_TYPE[name], name
    assert [row[5] for row in rows] == [-1, 1672531481000001, None]
    assert math.isnan(rows[0][6]) and rows[1][6] is None and rows[2][6] == -math.inf
    assert abs(rows[0][7] - 0.1) < 1e-7 and math.copysign(1, rows[1][7]) == -1 and rows[2][7] is None


def pyarrow_reader(samples):
    import pyarrow

    stream = ctypes.create_string_buffer(40)
    assert samples.larder_sample_stream(stream) == 0
    reader = pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
    table = reader.read_all()
    del reader
    table.validate(full=True)
    columns = table.to_pydict()
    for name, expected in EVERY_TYPE.items():
        assert columns[name] == expected, name
    assert columns["bytes"] == [b"\0\xff\n", None, b""]
    assert columns["date"] == [datetime.date(1969, 12, 31), datetime.date(2024, 10, 4), None]
    assert columns["timestamp"][1].isoformat() == "2023-01-01T00:04:41.000001+00:00"
    assert columns["duration"] == [datetime.timedelta(seconds=90), None, datetime.timedelta(microseconds=-1)]
    assert columns["bytevector"] == [[1, -128, 127], None, [0, 0, 1]]
    assert columns["list"] == [[1, None, -3], None, []]
    assert columns["words"] == [['a"b', None], None, []]
    assert columns["map"] == [[('a"b', 0.5), ("c", 2.0)], None, []]
    assert table.schema.field("vector").type == pyarrow.list_(pyarrow.field("item", pyarrow.float32(), False), 2)


    read_streams(samples, pyarrow)


def read_streams(samples, pyarrow):
    """larder reads what pyarrow hands out: slices, chunks, dictionaries, and types larder has none of its own for."""
    columns = {
        "word": pyarrow.array(["skipped", "b", None, "b", "d"]).dictionary_encode(),
        "text": pyarrow.array(["skipped", "x", None, "", "l\u00e9"]),
        "large": pyarrow.array(["skipped", "x", None, "", "y"], pyarrow.large_string()),
        "small": pyarrow.array([0, -7, None, 1, 2], pyarrow.int8()),
        "wide": pyarrow.array([0, 4000000000, None, 1, 2], pyarrow.uint32()),
        "half": pyarrow.array([0, 0.5, None, 1, 2], pyarrow.float32()),
        "flag": pyarrow.array([True, True, None, False, True]),
        "at": pyarrow.array([0, 1_000, None, 2_000, -1], pyarrow.timestamp("ms", "Europe/Rome")),
        "day": pyarrow.array([0, 86_400_000, None, 0, 0], pyarrow.date64()),
        "items": pyarrow.array([[0], [1, None], None, [], [2]], pyarrow.list_(pyarrow.int64())),
        "pair": pyarrow.array([[0, 0], [1, 2], None, [3, 4], [5, 6]], pyarrow.list_(pyarrow.float32(), 2)),
        "scores": pyarrow.array([[], [("a", 1.5)], None, [], [("b", 2.0)]], pyarrow.map_(pyarrow.string(), pyarrow.float64())),
    }
    whole = pyarrow.table(columns)
    table = pyarrow.concat_tables([whole.slice(1, 2), whole.slice(3, 2)])
    lines = import_stream(samples, table.to_reader())
    assert [line["word"] for line in lines] == ["b", None, "b", "d"], lines
    assert [line["text"] for line in lines] == ["x", None, "", "l\u00e9"]
    assert [line["large"] for line in lines] == ["x", None, "", "y"]
    assert [line["small"] for line in lines] == [-7, None, 1, 2]
    assert [line["wide"] for line in lines] == [4000000000, None, 1, 2]
    assert [line["half"] for line in lines] == [0.5, None, 1, 2]
    assert [line["flag"] for line in lines] == [True, None, False, True]
    assert [line["at"] for line in lines] == ["1970-01-01T00:00:01Z", None, "1970-01-01T00:00:02Z",
                                              "1969-12-31T23:59:59.999Z"], lines
    assert [line["day"] for line in lines] == ["1970-01-02", None, "1970-01-01", "1970-01-01"]
    assert [line["items"] for line in lines] == [[1, None], None, [], [2]]
    assert [line["pair"] for line in lines] == [[1, 2], None, [3, 4], [5, 6]]
    assert [line["scores"] for line in lines] == [{"a": 1.5}, None, {}, {"b": 2.0}]
    try:
        import_stream(samples, pyarrow.table({"price": pyarrow.array([1], pyarrow.decimal128(10, 2))}).to_reader())
        assert False, "a decimal was read"
    except ValueError as error:
        assert "Arrow field price: larder has no type" in str(error), error


def import_stream(samples, reader):
    stream = ctypes.create_string_buffer(40)
    reader._export_to_c(ctypes.addressof(stream))
    error = ctypes.create_string_buffer(400)
    if samples.larder_read_stream(stream, path("imported.ndjson").encode(), error, 400) != 0:
        raise ValueError(error.value.decode())
    with open(path("imported.ndjson"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main():
    samples = ctypes.CDLL(sys.argv[1])
    assert samples.larder_write_samples(FOLDER.name.encode()) == 0
    globals()[f"{sys.argv[2]}_reader"](samples)
    print(f"{sys.argv[2]}: read back")


main()
