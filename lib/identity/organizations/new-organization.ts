import type { Write } from '../../platform/database/database.ts';
import { isAppError } from '../../platform/errors.ts';
import { newUlid } from '../../platform/ids.ts';
import { slugOf } from '../accounts/account-schemas.ts';
import { DEFAULT_CACHE, type StoredProject } from '../projects/project.ts';
import { newProjectWrites } from '../projects/project-repository.ts';
import type { StoredMember, StoredOrganization } from './organization.ts';
import { newOrganizationWrites, SLUG_TAKEN } from './organization-repository.ts';

export interface NewOrganization {
  name: string;
  slug?: string | undefined;
  description?: string | null | undefined;
}

/** A project as it is at its creation. */
export const projectAtFirst = (
  given: { organization_id: string; name: string; slug: string; description: string | null; created_by: string },
  nowMs: number,
): StoredProject => {
  const now = new Date(nowMs).toISOString();
  return {
    id: newUlid(nowMs),
    ...given,
    status: 'active',
    cache: DEFAULT_CACHE,
    capture: 'metadata',
    redact: [],
    created_at: now,
    updated_at: now,
    version: 1,
  };
};

/** A new organization with its owner and a first project, so that its owner can make a key at once. */
export function organizationAtFirst(
  { name, slug, description = null }: NewOrganization & { slug: string },
  ownerId: string,
  nowMs: number,
) {
  const now = new Date(nowMs).toISOString();
  const id = newUlid(nowMs);
  const organization: StoredOrganization = {
    id,
    name,
    slug,
    description,
    plan: 'free',
    requests_per_minute: null,
    status: 'active',
    owners: 1,
    members: 1,
    projects: 1,
    invitations: 0,
    created_at: now,
    updated_at: now,
    version: 1,
  };
  const owner: StoredMember = { organization_id: id, user_id: ownerId, role: 'owner', joined_at: now };
  const project = projectAtFirst({ organization_id: id, name: 'Default', slug: 'default', description: null, created_by: ownerId }, nowMs);
  const writes: Write[] = [...newOrganizationWrites(organization, owner), ...newProjectWrites(project)];
  return { organization, project, writes };
}

/** Calls with the slug that was asked for. If none was, with one made of the name; if that is taken, with one that nobody has. */
export async function withSlug<T>(
  name: string,
  wanted: string | undefined,
  nowMs: number,
  create: (slug: string) => Promise<T>,
): Promise<T> {
  if (wanted !== undefined) return create(wanted);
  const ending = newUlid(nowMs).slice(-8).toLowerCase();
  const slug = slugOf(name, `x-${ending}`);
  try {
    return await create(slug);
  } catch (error) {
    if (!isAppError(error, SLUG_TAKEN)) throw error;
    return create(`${slug}-${ending}`);
  }
}
