#include "cli/command_parser.h"

namespace larder::inline LARDER_ABI {
namespace cli {

void Parser::AddLooking() {
  auto list = std::make_shared<ListArguments>();
  CLI::App* sub =
      Add(kLooking, "list", "list what the store knows",
          "Examples:\n  larder list\n  larder list views --entity card --tag tier=1\n"
          "  larder list features --name 'amount*' --format json\n"
          "  larder list --type float64 --text spend\n"
          "KIND: entities, sources, views, on-demand-views, labels, services, features, projects.",
          list, &List);
  sub->add_option("kind", list->kind, "only this kind")->type_name("KIND");
  sub->add_option("--name", list->name, "part of the name, or a pattern with * and ?")
      ->type_name("PATTERN");
  sub->add_option("--text", list->text, "part of the name or the description")->type_name("TEXT");
  sub->add_option("--type", list->type, "only features of this type")->type_name("TYPE");
  sub->add_option("--owner", list->owner, "only this owner's")->type_name("NAME");
  sub->add_option("--entity", list->entity, "only what belongs to this entity")->type_name("NAME");
  AddRepeated(sub, "--tag", list->tags, "only with this tag; may be given again, all must hold",
              "K[=V]");
  sub->add_flag("--all-versions", list->all_versions,
                "every version, not only what bare names mean");
  AddTarget(sub, list->target);
  AddFormat(sub, list->format, true);

  auto describe = std::make_shared<DescribeArguments>();
  sub = Add(
      kLooking, "describe", "show one definition, or the whole project",
      "Examples:\n  larder describe card_profile\n  larder describe fraud_model@2 --format json\n"
      "  larder describe card_profile:limit\n"
      "  larder describe card_profile --at 3                  # as it was after history entry 3\n"
      "  larder describe --format json > definitions.json     # the whole project, ready to apply",
      describe, &Describe);
  sub->add_option("name", describe->name, "name, name@N or view:feature (default: the project)")
      ->type_name("NAME");
  sub->add_option("--kind", describe->kind,
                  "where several kinds share the name: entity, source, view, ...")
      ->type_name("KIND");
  sub->add_option("--at", describe->at,
                  "what it was then: number of a history entry, or a time; always prints JSON")
      ->type_name("REV");
  AddTarget(sub, describe->target);
  AddFormat(sub, describe->format);

  auto lineage = std::make_shared<LineageArguments>();
  sub = Add(kLooking, "lineage", "what a thing is made from, and what reads it",
            "Examples:\n  larder lineage transactions\n  larder lineage card_profile:limit\n"
            "  larder lineage fraud_model@2 --format json\n"
            "Where several kinds share a name: larder lineage 'source transactions'.",
            lineage, &ShowLineage);
  sub->add_option("name", lineage->name, "name, name@N or view:feature")
      ->type_name("NAME")
      ->required();
  AddTarget(sub, lineage->target);
  AddFormat(sub, lineage->format);

  auto history = std::make_shared<HistoryArguments>();
  sub = Add(kLooking, "history", "what changed, when, by whom and why",
            "Example:\n  larder history --last 10", history, &History);
  sub->add_option("--last", history->last, "only the newest N entries")->type_name("N");
  AddTarget(sub, history->target, false);
  AddFormat(sub, history->format);
}

void Parser::AddKeeping() {
  auto verify = std::make_shared<VerifyArguments>();
  CLI::App* sub = Add(kKeeping, "verify", "read the whole store and check everything in it",
                      "Examples:\n  larder verify\n  larder verify --store backup --format json\n"
                      "Takes no lock. Damage is exit code 1, with every problem found.",
                      verify, &Verify);
  AddTarget(sub, verify->target, false);
  AddFormat(sub, verify->format);

  auto backup = std::make_shared<BackupArguments>();
  sub = Add(kKeeping, "backup", "copy the store while it is in use, and check the copy",
            "Example:\n  larder backup /backups/store-2025-06-01", backup, &Backup);
  sub->add_option("folder", backup->folder, "a folder that does not exist yet")
      ->type_name("DIR")
      ->required();
  AddTarget(sub, backup->target, false);
  AddFormat(sub, backup->format);

  auto compact = std::make_shared<CompactArguments>();
  sub = Add(kKeeping, "compact", "put pushed rows together, so that reads look in fewer places",
            "Example:\n  larder compact --view card_spend", compact, &Compact);
  sub->add_option("--view", compact->views, "only this view; may be repeated")->type_name("VIEW");
  AddTarget(sub, compact->target);
  AddFormat(sub, compact->format);

  auto vacuum = std::make_shared<VacuumArguments>();
  sub = Add(kKeeping, "vacuum", "rewrite the store without its free space, while it is in use",
            "Example:\n  larder vacuum", vacuum, &Vacuum);
  AddTarget(sub, vacuum->target, false);
  AddFormat(sub, vacuum->format);
}

void Parser::AddBench() {
  auto bench = std::make_shared<BenchArguments>();
  CLI::App* sub = Add(
      kKeeping, "bench", "measure how long a service takes to serve, under load",
      "Examples:\n  larder bench --service fraud_model --threads 4 --batch 100\n"
      "  larder bench --service fraud_model --batch 1 --rate 20000 --request amount=12.50\n"
      "  larder bench --service fraud_model --writes 500 --format json\n"
      "Keys are drawn from the store. The store is not changed: --writes makes a copy beside it,\n"
      "writes to that, and removes it.",
      bench, &Bench);
  sub->add_option("--service", bench->service, "name or name@N")->type_name("SERVICE")->required();
  const auto number = [sub](const char* name, auto& value, const char* description, auto low,
                            auto high, const char* form = "N") {
    sub->add_option(name, value, description)
        ->type_name(form)
        ->check(CLI::Range(low, high).description(""));
  };
  number("--threads", bench->threads, "threads that serve (default 1)", 1, 1024);
  number("--batch", bench->batch, "entities of a request (default 100)", 1, 1'000'000);
  sub->add_option("--duration", bench->duration, "how long to measure (default 10s)")
      ->type_name("DURATION");
  sub->add_option("--warm-up", bench->warm_up, "how long to serve before that (default 1s)")
      ->type_name("DURATION");
  number("--rate", bench->rate,
         "requests a second, timed from when each is due (default: as fast as it goes)", 0.0, 1e9);
  number("--keys", bench->keys, "how many stored keys to draw from (default 1000000)", 1,
         100'000'000);
  number("--zipf", bench->zipf, "how uneven: key i in proportion to 1/i^S (default 0: uniform)",
         0.0, 10.0, "S");
  sub->add_option("--seed", bench->seed, "of the draws (default 1)")->type_name("N");
  AddRepeated(sub, "--request", bench->request, "value of a request field, for all rows",
              "NAME=VALUE");
  sub->add_option("--as-of", bench->as_of, "the moment to read for (default: now)")
      ->type_name(kTimeForm);
  number("--writes", bench->writes, "rows a second to push meanwhile, into a copy (default 0)", 0.0,
         1e7);
  number("--write-batch", bench->write_batch, "rows of a push (default 10)", 1, 100'000);
  sub->add_option("--write-source", bench->write_source,
                  "push source to push to (default: the first one behind the service)")
      ->type_name("NAME");
  sub->add_option("--write-file", bench->write_file,
                  "events to push (default: those of its batch source)")
      ->type_name("FILE");
  sub->add_flag("--thread-writer", bench->thread_writer,
                "push from a thread, not from a process of its own");
  AddTarget(sub, bench->target);
  AddFormat(sub, bench->format);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
