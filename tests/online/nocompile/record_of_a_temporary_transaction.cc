#include "larder/online/write_transaction.h"

absl::Status Use(const std::shared_ptr<larder::Environment>& environment) {
#ifdef LARDER_MISTAKE
  auto record = larder::WriteTransaction::Begin(environment).value().GetRecord(1, "k");
#else
  LARDER_ASSIGN_OR_RETURN(const larder::WriteTransaction transaction,
                          larder::WriteTransaction::Begin(environment));
  auto record = transaction.GetRecord(1, "k");
#endif
  return record.status();
}
