import type { FleetPorts } from '../lib/fleet/fleet-ports.ts';
import type { AuditPorts } from '../lib/identity/audit.ts';
import type { FirstStart } from '../lib/identity/bootstrap.ts';
import type { RelayPorts } from '../lib/platform/events/outbox.ts';

/** Everything that the fleet's functions may use. Composed once per process, from the configuration alone. */
export interface Services extends FleetPorts {
  audit: AuditPorts;
  outbox: RelayPorts;
  firstStart: FirstStart;
}
