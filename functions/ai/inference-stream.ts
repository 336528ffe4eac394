import { streamingFunction } from '../../lib/platform/http/streaming-function.ts';
import { inferenceEndpoints } from './inference.ts';
import { inferenceSurface } from './inference-surface.ts';
import { modelEndpoints } from './models.ts';

/** Inference behind a function URL, which streams. A client has one base URL, so the models are here too. */
export const inferenceStreamEndpoints = [...inferenceEndpoints, ...modelEndpoints];
export const handler = streamingFunction(inferenceStreamEndpoints, inferenceSurface);
