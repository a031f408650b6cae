#include "aggregate/logarithm.h"

#include <sleef.h>

namespace larder::inline LARDER_ABI {
namespace aggregate {

double Log2(double x) { return Sleef_cinz_log2d1_u10purec(x); }
double Exp2(double x) { return Sleef_cinz_exp2d1_u10purec(x); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
