import * as z from 'zod';
import { MODEL_FEATURES, ProviderId } from '../providers/provider-config.ts';
import { PriorityName } from './model-group.ts';

export const NewRoutingPolicy = z
  .strictObject({
    priority: PriorityName,
    max_retries: z.int().min(0).max(10).exactOptional(),
    hedge_after_ms: z.int().min(50).max(120_000).exactOptional(),
    timeout_seconds: z.int().min(1).max(600).exactOptional(),
    exclude_providers: z.array(ProviderId).max(50).exactOptional(),
    required_features: z.array(z.enum(MODEL_FEATURES)).max(MODEL_FEATURES.length).exactOptional(),
  })
  .meta({ id: 'RoutingPolicy' });
export type NewRoutingPolicy = z.infer<typeof NewRoutingPolicy>;

export const StoredRoutingPolicy = z.object({
  organization_id: z.string(),
  project_id: z.string(),
  policy: NewRoutingPolicy,
  updated_at: z.iso.datetime(),
});
export type StoredRoutingPolicy = z.infer<typeof StoredRoutingPolicy>;

/** The policy of a project that has none. */
export const DEFAULT_POLICY: NewRoutingPolicy = { priority: 'balanced' };
