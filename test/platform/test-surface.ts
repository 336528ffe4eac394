import { systemSurface } from '../../functions/system/system-endpoint.ts';
import type { AnySurface } from '../../lib/platform/http/surface.ts';
import { createLog } from '../../lib/platform/log.ts';

/** A surface that needs nothing around it and lets nobody in, but for what a test says. */
export const testSurface = (given: Partial<AnySurface> = {}): AnySurface => ({
  ...systemSurface,
  base: () => ({ log: createLog({ write: () => {} }) }),
  services: async () => undefined,
  ...given,
});
