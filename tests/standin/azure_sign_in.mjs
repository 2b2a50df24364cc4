// The tokens of the stand-in Azure: who gets one without Entra's token endpoint (GitHub's OIDC endpoint, the metadata
// service of a VM, App Service's identity endpoint), and the check of a bearer token that ARM makes.
//
// Fails: throws on a certificate it can't read, never on a client's input.

import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { CLIENT_ID, CLIENT_SECRET, EXCHANGE_AUDIENCE, jsonAnswer, OBJECT_ID, refuse, TENANT } from './azure_rules.mjs';

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
const AUDIENCES = [
  'https://management.azure.com', 'https://management.core.windows.net', 'https://management.usgovcloudapi.net',
  'https://management.core.usgovcloudapi.net', 'https://management.chinacloudapi.cn',
  'https://management.core.chinacloudapi.cn',
];

// certificates: PEM of those that belong to the application; workloadTokens: federated tokens it trusts beside its own.
export function newSignIn({ clientSecret = CLIENT_SECRET, certificates = [], workloadTokens = [], tokenSeconds = 3600 }) {
  const known = certificates.map((pem) => new X509Certificate(pem));
  const workloadToken = newJwt({ iss: 'https://stand-in.invalid/oidc', sub: 'system:serviceaccount:ops:opsbelt' });
  const workload = { via: 'workload', aud: EXCHANGE_AUDIENCE };
  const trusted = [workloadToken, ...workloadTokens].map((token) => [token, workload]);
  return {
    clientSecret, tokenSeconds, workloadToken, githubToken: randomBytes(32).toString('base64url'), identityHeader: randomUUID(),
    byThumbprint: new Map(known.map((cert) => [thumbprint(cert), cert])), federated: new Map(trusted),
    tokens: [], byToken: new Map(),
  };
}

function thumbprint(cert) {
  return Buffer.from(cert.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

// --- GitHub ---

export function answerGithub(azure, { headers, query }) {
  const isRunner = headers.authorization === `Bearer ${azure.signIn.githubToken}`;
  if (!isRunner) return jsonAnswer({ message: 'Unauthorized' }, 401);
  if (query['api-version'] === undefined) return jsonAnswer({ message: 'No api-version was specified.' }, 400);
  const now_s = Math.floor(Date.now() / 1000);
  const aud = query.audience ?? 'https://github.com/octo-org';
  const value = newJwt({
    iss: GITHUB_ISSUER, aud, sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
    nbf: now_s - 600, iat: now_s, exp: now_s + 300,
  });
  azure.signIn.federated.set(value, { via: 'github', aud });
  return jsonAnswer({ count: value.length, value });
}

// --- Managed identities ---

// Numbers come as strings here, as in the older token endpoint.
export function answerImds(azure, { headers, query, method }) {
  const deny = (status, error, error_description) => jsonAnswer({ error, error_description }, status);
  if (method !== 'GET') return deny(405, 'method_not_allowed', 'Only GET is supported');
  if (headers.metadata?.toLowerCase() !== 'true') {
    return deny(400, 'invalid_request', 'Required metadata header not specified');
  }
  if (headers['x-forwarded-for'] !== undefined) return deny(400, 'invalid_request', 'X-Forwarded-For is not allowed');
  const missing = ['api-version', 'resource'].find((name) => !query[name]);
  if (missing) return deny(400, 'invalid_request', `Required query variable '${missing}' is missing`);
  if (!audienceOf(azure, query.resource)) {
    return deny(400, 'invalid_resource', `AADSTS500011: The resource principal named ${query.resource} was not found.`);
  }
  if (isStranger(query)) return deny(400, 'invalid_request', 'Identity not found');
  const { token, expires_ms } = issue(azure, query.resource, 'imds');
  const seconds = String(azure.signIn.tokenSeconds);
  const [expires_on, not_before] = [expires_ms, Date.now()].map((ms) => String(Math.floor(ms / 1000)));
  return jsonAnswer({
    access_token: token, client_id: CLIENT_ID, expires_in: seconds, expires_on, ext_expires_in: seconds, not_before,
    resource: query.resource, token_type: 'Bearer',
  });
}

export function answerAppService(azure, { headers, query }) {
  const deny = (statusCode, message) => jsonAnswer({ statusCode, message }, statusCode);
  if (headers['x-identity-header'] !== azure.signIn.identityHeader) return deny(401, 'Unauthorized');
  if (query['api-version'] !== '2019-08-01') return deny(400, 'Unsupported api-version');
  if (!query.resource || !audienceOf(azure, query.resource)) return deny(400, 'Invalid resource');
  if (isStranger(query)) return deny(400, 'No User Assigned or Delegated Managed Identity found');
  const { token, expires_ms } = issue(azure, query.resource, 'app-service');
  return jsonAnswer({
    access_token: token, client_id: CLIENT_ID, expires_on: String(Math.floor(expires_ms / 1000)),
    resource: query.resource, token_type: 'Bearer',
  });
}

// Whether another identity is asked for than the one there is.
function isStranger({ client_id, object_id }) {
  return (client_id ?? CLIENT_ID) !== CLIENT_ID || (object_id ?? OBJECT_ID) !== OBJECT_ID;
}

// --- Tokens ---

// ARM's own name for a resource, or undefined when it is not ARM.
export function audienceOf(azure, resource) {
  const bare = resource.replace(/\/+$/, '');
  return [...AUDIENCES, azure.url].find((audience) => audience === bare);
}

export function issue(azure, audience, via) {
  const expires_ms = Date.now() + azure.signIn.tokenSeconds * 1000;
  const exp = Math.floor(expires_ms / 1000);
  const token = newJwt({ aud: audience, appid: CLIENT_ID, oid: OBJECT_ID, tid: TENANT, exp });
  const issued = { token, audience, via, expires_ms };
  azure.signIn.byToken.set(token, issued);
  if (azure.keepRequests) azure.signIn.tokens.push(issued);
  return issued;
}

// It looks like a signed token, but nobody is to verify it.
function newJwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ typ: 'JWT', alg: 'RS256', kid: 'stand-in' });
  return `${head}.${part({ ...claims, jti: randomUUID() })}.${randomBytes(256).toString('base64url')}`;
}

export function expireTokens(azure) {
  for (const issued of azure.signIn.byToken.values()) issued.expires_ms = Math.min(issued.expires_ms, Date.now());
}

// undefined when the request's bearer token is good, else ARM's refusal.
export function checkBearer(azure, request) {
  const { authorization } = request.headers;
  const deny = (code, message, why) => refuse(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="${azure.url}/${TENANT}", error="invalid_token", `
      + `error_description="${why}"`,
  });
  if (authorization === undefined) {
    return deny('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.",
      "The authentication failed because of missing 'Authorization' header.");
  }
  const [, token] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
  const issued = azure.signIn.byToken.get(token);
  if (!issued) {
    return deny('InvalidAuthenticationToken', 'The access token is invalid.', 'Could not validate the access token.');
  }
  if (issued.expires_ms > Date.now()) return undefined;
  const utc = (ms) => new Date(ms).toLocaleString('en-US', { timeZone: 'UTC' });
  const [expiry, now] = [issued.expires_ms, Date.now()].map(utc);
  return deny('ExpiredAuthenticationToken',
    `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${now}'.`,
    'The access token has expired.');
}
