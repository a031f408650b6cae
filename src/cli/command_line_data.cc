#include "cli/command_parser.h"

namespace larder::inline LARDER_ABI {
namespace cli {

void Parser::AddStarting() {
  auto init = std::make_shared<InitArguments>();
  CLI::App* sub =
      Add(kStarting, "init", "make a folder with definitions and sample data to start from",
          "Example:\n  larder init shop\nthen run the commands it prints.", init, &Init);
  sub->add_option("folder", init->folder, "a new or empty folder")->type_name("DIR")->required();

  auto infer = std::make_shared<InferArguments>();
  sub = Add(kStarting, "infer", "print a source definition guessed from a file",
            "Example:\n  larder infer data/transactions.csv\n"
            "The guess is a start: read it, then put it into \"sources\" of a definitions file.",
            infer, &Infer);
  sub->add_option("file", infer->file, "CSV, .ndjson or .parquet file or glob, text also as .gz")
      ->type_name("FILE")
      ->required();
  sub->add_option("--rows", infer->rows, "how many rows to look at; 0: all (default 100000)")
      ->type_name("N");

  auto eval = std::make_shared<EvalArguments>();
  sub = Add(kStarting, "eval", "evaluate an expression on one row",
            "Examples:\n"
            "  larder eval 'age = current_date - birth_date' --row birth_date=1990-05-17\n"
            "  larder eval 'coalesce(limit, 100) * 2' --row limit:float64=null\n"
            "  larder eval 'request.amount / mean' --row request.amount=30,mean=12.5\n"
            "Types are guessed from the text: int64, float64, bool, date, timestamp, else string;\n"
            "name:type=value says one. An expression that begins with - goes after --.",
            eval, &Eval);
  sub->add_option("expression", eval->expression, "the expression")->type_name("EXPR")->required();
  AddRepeated(sub, "--row", eval->row, "values of names: k=v or k:type=v, several parted by commas",
              "K=V");
  sub->add_option("--as-of", eval->as_of, "what now() and current_date read (default: now)")
      ->type_name(kTimeForm);
  AddFormat(sub, eval->format);
}

void Parser::AddData() {
  auto load = std::make_shared<MaterializeArguments>();
  CLI::App* sub = Add(
      kData, "materialize", "load feature views from their sources",
      "Examples:\n  larder materialize\n  larder materialize --view card_profile --incremental\n"
      "  larder materialize --start 2025-01-01 --end 2025-02-01T00:00:00Z\n"
      "All views are loaded in one step: when one fails, nothing has changed.",
      load, &Materialize);
  AddRepeated(sub, "--view", load->views, "name or name@N; may be given again (default: all)",
              "VIEW");
  auto* full = sub->add_flag("--full", load->full,
                             "keep nothing of what earlier loads brought (pushed rows stay)");
  sub->add_flag("--incremental", load->incremental, "load what came since the last load")
      ->excludes(full);
  sub->add_option("--start", load->start, "only events from here on")->type_name(kTimeForm);
  sub->add_option("--end", load->end, "only events up to here (default: now)")->type_name(kTimeForm);
  sub->add_flag("--skip-bad", load->skip_bad, "skip rows that cannot be read, and report them");
  AddTarget(sub, load->target);
  AddFormat(sub, load->format);

  auto push = std::make_shared<PushArguments>();
  sub = Add(
      kData, "push", "store events of a source",
      "Examples:\n  larder push --source purchases_live new.csv\n"
      "  tail -n 100 new.csv | larder push --source purchases_live - --batch-id 2025-06-01T12\n"
      "  larder push --source purchases_live new.ndjson.gz\n"
      "CSV has a header that names the source's fields; .ndjson and .jsonl files have an object\n"
      "a line. - is standard input: CSV, or NDJSON with --ndjson.",
      push, &Push);
  sub->add_option("file", push->file, "CSV or NDJSON file, .gz too, or - for standard input")
      ->type_name("FILE")
      ->required();
  sub->add_option("--source", push->source, "the source the events belong to")
      ->type_name("NAME")
      ->required();
  sub->add_option("--batch-id", push->batch_id, "a push repeated with the same id is done once")
      ->type_name("ID");
  sub->add_flag("--ndjson", push->ndjson, "the file is NDJSON, whatever its name");
  sub->add_flag("--skip-bad", push->skip_bad, "skip rows that cannot be stored, and report them");
  AddTarget(sub, push->target);
  AddFormat(sub, push->format);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
