import { sweepOutbox } from '../../lib/platform/events/sweep-outbox.ts';
import { scheduleFor, scheduleFunction } from '../../lib/platform/schedule.ts';
import { app } from '../app.ts';
import type { Services } from '../services.ts';

/** Two thirds of the function's time, so that the last page can be finished too. */
const DRAIN_FOR_MS = 20_000;

/** Relays events that their request could not relay. While the queues work, no event waits longer than two minutes. */
export const outboxSweep = scheduleFor<Services>()({
  name: 'outbox-sweep',
  everySeconds: 60,
  async run({ outbox, log }, signal) {
    const swept = await sweepOutbox(outbox, { drainForMs: DRAIN_FOR_MS, log, ...(signal && { signal }) });
    const left = swept.refused + swept.unknown + swept.malformed;
    // An alarm counts the remaining events from this line (infra/resources/alarms.cjs), so it is an error, which every level logs.
    if (left > 0) log.error('outbox_swept', { ...swept, left });
    else if (swept.relayed > 0) log.info('outbox_swept', { ...swept, left });
  },
});
export const handler = scheduleFunction(outboxSweep, app);
