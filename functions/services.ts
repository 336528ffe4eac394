import type { FleetPorts } from '../lib/fleet/fleet-ports.ts';
import type { AuditPorts } from '../lib/identity/audit.ts';
import type { FirstStart } from '../lib/identity/bootstrap.ts';
import type { Config } from '../lib/platform/config.ts';
import type { StorageWatch } from '../lib/platform/database/storage-watch.ts';
import type { RelayPorts } from '../lib/platform/events/outbox.ts';
import type { Metrics } from '../lib/platform/metrics.ts';

/** Everything a function may use. Composed once per process, from the configuration alone. */
export interface Services extends FleetPorts {
  config: Config;
  metrics: Metrics;
  audit: AuditPorts;
  outbox: RelayPorts;
  firstStart: FirstStart;
  storage: StorageWatch;
}
