import { systemSurface } from '../../functions/system/system-endpoint.ts';
import type { AnySurface } from '../../lib/platform/http/surface.ts';
import { createLog } from '../../lib/platform/log.ts';

/** A surface that needs no composition and admits nobody, unless a test overrides that. */
export const testSurface = (given: Partial<AnySurface> = {}): AnySurface => ({
  ...systemSurface,
  base: () => ({ log: createLog({ write: () => {} }) }),
  services: async () => undefined,
  ...given,
});
