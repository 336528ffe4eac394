import * as z from 'zod';
import { Ulid } from '../accounts/account-schemas.ts';

export const ProjectStatus = z.enum(['active', 'paused', 'archived']);

/** The defaults of a project's calls for the caches. */
export const ProjectCache = z.strictObject({
  strategy: z.enum(['exact', 'semantic', 'disabled']),
  ttl_seconds: z.int().min(1).max(2_592_000),
  similarity_threshold: z.number().min(0).max(1),
  embedding_model: z.string().min(1).max(200).nullable(),
});
export type ProjectCache = z.infer<typeof ProjectCache>;
export const DEFAULT_CACHE: ProjectCache = { strategy: 'disabled', ttl_seconds: 3_600, similarity_threshold: 0.95, embedding_model: null };

export const Capture = z.enum(['none', 'metadata', 'full']);
/** A JSON pointer (RFC 6901). */
export const JsonPointer = z
  .string()
  .max(500)
  .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer such as /messages/0/content');

const time = z.iso.datetime();
export const Project = z
  .object({
    id: Ulid,
    name: z.string(),
    slug: z.string(),
    description: z.string().nullable(),
    organization_id: Ulid,
    status: ProjectStatus,
    cache: ProjectCache,
    capture: Capture,
    redact: z.array(z.string()),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;

/** The project's item in the store, `projectKey(id)`. */
export const StoredProject = Project.extend({ version: z.int(), created_by: z.string() });
export type StoredProject = z.infer<typeof StoredProject>;
