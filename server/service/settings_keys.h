// The one table of every key of tidemarkd.yaml.
#ifndef TIDEMARK_SERVICE_SETTINGS_KEYS_H_
#define TIDEMARK_SERVICE_SETTINGS_KEYS_H_

#include "control/configuration_keys.h"

namespace tidemark {

KeyTable ServerKeys();

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SETTINGS_KEYS_H_
