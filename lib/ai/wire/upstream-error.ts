import { AppError, type ErrorKind } from '../../platform/errors.ts';
import type { UpstreamFailure } from '../providers/adapter.ts';

const CALLER_KINDS: Readonly<Record<number, ErrorKind>> = {
  404: 'not_found',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'unprocessable',
};

/**
 * A provider's last failure, as the caller learns it. Only the caller's own mistakes keep their status: a key of ours that a provider
 * refuses must not look like a wrong key of the caller.
 */
export function upstreamError(failure: UpstreamFailure, provider: string): AppError {
  const { status, blame, message, code, param, retry_after_ms } = failure;
  const details = { provider, ...(param !== null && { param }), ...(retry_after_ms !== undefined && { retry_after_ms }) };
  switch (blame) {
    case 'caller': {
      const kind = CALLER_KINDS[status] ?? 'bad_request';
      return new AppError(kind, message, { ...(code !== null && { code }), details });
    }
    case 'rate_limited':
      return new AppError('rate_limited', message, { code: 'provider_rate_limited', details });
    case 'credentials':
      return new AppError('upstream_failed', 'The provider refused the credentials that are configured for it.', {
        code: 'provider_auth_failed',
        details,
      });
    case 'exhausted_account':
      return new AppError('upstream_failed', "The provider's account has no credit or quota left.", {
        code: 'provider_quota_exhausted',
        details,
      });
    case 'missing_endpoint':
      return new AppError('upstream_failed', 'The provider does not have this endpoint.', { code: 'provider_error', details });
    case 'provider': {
      if (status === 504 || status === 408) return new AppError('upstream_timeout', message, { details });
      return new AppError('upstream_failed', message, { code: 'provider_error', details });
    }
  }
}
