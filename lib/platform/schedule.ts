import middy from '@middy/core';

/** Work that runs at an interval. Each run does a bounded part of what is to be done. Two runs may overlap. */
export interface Schedule<Services> {
  name: string;
  everySeconds: number;
  /** The signal is aborted shortly before the function's time is over. */
  run(services: Services, signal?: AbortSignal): Promise<void>;
}
export const scheduleFor =
  <Services>() =>
  (schedule: Schedule<Services>): Schedule<Services> =>
    schedule;

export type ScheduleFunction = (event?: unknown, context?: unknown) => Promise<void>;

/** A run is aborted this long before the function's time is over. */
const STOP_EARLY_MS = 2_000;

/** A Lambda handler for one schedule. The next run continues the work of a run that was aborted. */
export function scheduleFunction<Services>(schedule: Schedule<Services>, host: () => Promise<{ services: Services }>): ScheduleFunction {
  const run = async (_event: unknown, _context: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    schedule.run((await host()).services, signal);
  const handler = middy<unknown, void>({ timeoutEarlyInMillis: STOP_EARLY_MS }).handler(run as never);
  return (event = {}, context = {}) => handler(event, context as never) as Promise<void>;
}
