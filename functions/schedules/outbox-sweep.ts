import { sweepOutbox } from '../../lib/platform/events/outbox.ts';
import { scheduleFor, scheduleFunction } from '../../lib/platform/schedule.ts';
import { app } from '../app.ts';
import type { Services } from '../services.ts';

/** Relays what the request that wrote it could not: nothing waits longer than a minute while the queues are there. */
export const outboxSweep = scheduleFor<Services>()({
  name: 'outbox-sweep',
  everySeconds: 60,
  async run({ outbox, log }) {
    const { relayed, left } = await sweepOutbox(outbox);
    // What stays behind is counted from this line (infra/resources/alarms.cjs), so no log level leaves it out.
    if (left > 0) log.error('outbox_swept', { relayed, left });
    else if (relayed > 0) log.info('outbox_swept', { relayed, left });
  },
});
export const handler = scheduleFunction(outboxSweep, app);
