import { createBoundedCache } from '../../platform/bounded-cache.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ProjectSettings } from './project-settings.ts';

/** Settings of this age are returned and read again meanwhile, so that no call waits for a read that was foreseeable. */
export const REFRESH_AFTER_MS = 3_000;
/** Settings of this age are never returned, also if the store is unavailable: a revocation holds everywhere after this time. */
export const MAX_AGE_MS = 5_000;
const MAX_PROJECTS = 10_000;

export interface SettingsCache {
  settingsOf(projectId: string): Promise<ProjectSettings>;
  /** Makes this process read a project again at its next call. */
  forget(projectId: string): void;
  /** The same for all projects of an organization. */
  forgetOrganization(organizationId: string): void;
}

interface Entry {
  settings: ProjectSettings;
  /** When the read began: what is stored later is not in it. */
  readAtMs: number;
}

export interface SettingsCachePorts {
  load(projectId: string): Promise<ProjectSettings>;
  clock: Pick<Clock, 'monotonicMs'>;
  capacity?: number;
}

/** Keeps the settings of the projects that are in use. Any number of calls at once cause one read of a project. */
export function createSettingsCache({ load, clock, capacity = MAX_PROJECTS }: SettingsCachePorts): SettingsCache {
  const kept = createBoundedCache<Entry>(capacity);
  const reading = new Map<string, Promise<ProjectSettings>>();

  const read = (projectId: string): Promise<ProjectSettings> => {
    const known = reading.get(projectId);
    if (known) return known;
    const readAtMs = clock.monotonicMs();
    const started = load(projectId)
      .then((settings) => {
        // After `forget`, another read may be on its way. This one is too old to be kept.
        if (reading.get(projectId) === started) kept.set(projectId, { settings, readAtMs });
        return settings;
      })
      .finally(() => {
        if (reading.get(projectId) === started) reading.delete(projectId);
      });
    reading.set(projectId, started);
    return started;
  };

  return {
    async settingsOf(projectId) {
      const entry = kept.get(projectId);
      if (entry === undefined) return read(projectId);
      const age = clock.monotonicMs() - entry.readAtMs;
      if (age >= MAX_AGE_MS) return read(projectId);
      // A failure shows at the call that needs the read.
      if (age >= REFRESH_AFTER_MS) read(projectId).catch(() => undefined);
      return entry.settings;
    },
    forget(projectId) {
      kept.delete(projectId);
      reading.delete(projectId);
    },
    forgetOrganization(organizationId) {
      for (const [projectId, { settings }] of kept.entries()) if (settings.organization_id === organizationId) kept.delete(projectId);
      // Whose settings a read on its way will bring is not known yet.
      reading.clear();
    },
  };
}
