// How the stand-in Azure lets clients in: Entra's token endpoint, GitHub's OIDC endpoint, the metadata service of a VM
// (IMDS) and App Service's identity endpoint; and the check of the bearer token that ARM makes.
//
// Entra takes client_credentials with a secret, with a certificate (a PS256 assertion, its claims checked), or with a
// federated token: GitHub's, or one that is registered. It refuses in its own words, { error, error_description:
// "AADSTS…", error_codes, timestamp, trace_id, correlation_id }.
// Fails: never throws on a client's input.

import { constants, randomBytes, randomUUID, verify, X509Certificate } from 'node:crypto';
import { CLIENT_ID, CLIENT_SECRET, jsonAnswer, OBJECT_ID, refuse, TENANT } from './azure_rules.mjs';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
const SKEW_S = 300;
const AUDIENCES = [
  'https://management.azure.com', 'https://management.core.windows.net', 'https://management.usgovcloudapi.net',
  'https://management.core.usgovcloudapi.net', 'https://management.chinacloudapi.cn',
  'https://management.core.chinacloudapi.cn',
];

// certificates: PEM of those that belong to the application; workloadTokens: federated tokens it trusts.
export function newSignIn({ certificates = [], workloadTokens = [], tokenSeconds = 3600 }) {
  const known = certificates.map((pem) => new X509Certificate(pem));
  const byThumbprint = new Map(known.map((cert) => [thumbprint(cert), cert]));
  const workloadToken = newJwt({ iss: 'https://stand-in.invalid/oidc', sub: 'system:serviceaccount:ops:opsbelt' });
  return {
    tokenSeconds, byThumbprint, workloadToken, federated: new Map(
      [workloadToken, ...workloadTokens].map((token) => [token, { via: 'workload', aud: EXCHANGE_AUDIENCE }]),
    ),
    githubToken: randomBytes(32).toString('base64url'), identityHeader: randomUUID(), tokens: [], byToken: new Map(),
  };
}

function thumbprint(cert) {
  return Buffer.from(cert.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

// --- Entra ---

export function answerToken(azure, request, tenant) {
  const form = request.form ?? {};
  const deny = (status, error, number, text) => entraError(request, status, error, number, text);
  if (request.method !== 'POST') return deny(405, 'invalid_request', 900561, `The endpoint only accepts POST requests. Received a ${request.method} request.`);
  if (tenant !== TENANT) return deny(400, 'invalid_request', 90002, `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`);
  for (const name of ['grant_type', 'client_id', 'scope']) {
    if (!form[name]) return deny(400, 'invalid_request', 900144, `The request body must contain the following parameter: '${name}'.`);
  }
  if (form.grant_type !== 'client_credentials') return deny(400, 'unsupported_grant_type', 70003, `The app requested an unsupported grant type '${form.grant_type}'.`);
  if (form.client_id !== CLIENT_ID) return deny(400, 'unauthorized_client', 700016, `Application with identifier '${form.client_id}' was not found in the directory 'Stand-in'.`);
  const proof = proofOf(azure, form);
  if (proof.number) return deny(401, 'invalid_client', proof.number, proof.text);

  const [, resource] = /^(\S+)\/\.default$/.exec(form.scope) ?? [];
  if (!resource) return deny(400, 'invalid_scope', 1002012, `The provided value for scope ${form.scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`);
  if (!audienceOf(azure, resource)) return deny(400, 'invalid_resource', 500011, `The resource principal named ${resource} was not found in the tenant named Stand-in.`);
  const { token } = issue(azure, resource, proof.via);
  const seconds = azure.signIn.tokenSeconds;
  return jsonAnswer({ token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token });
}

// { via } when the client has shown who it is, else { number, text } of the refusal.
function proofOf(azure, form) {
  if (form.client_assertion === undefined && form.client_secret === undefined) {
    return { number: 7000218, text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'." };
  }
  if (form.client_assertion === undefined) {
    if (form.client_secret === CLIENT_SECRET) return { via: 'secret' };
    return { number: 7000215, text: `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${CLIENT_ID}'.` };
  }
  if (form.client_assertion_type !== JWT_BEARER) return { number: 900144, text: "The request body must contain the following parameter: 'client_assertion_type'." };
  const federated = azure.signIn.federated.get(form.client_assertion);
  if (!federated) return checkAssertion(azure, form.client_assertion);
  if (federated.aud !== EXCHANGE_AUDIENCE) return { number: 700212, text: `No matching federated identity record found for presented assertion audience '${federated.aud}'.` };
  return { via: federated.via };
}

// The claims of an assertion that a certificate signed.
function checkAssertion(azure, assertion) {
  const parts = assertion.split('.');
  const [header, claims] = parts.slice(0, 2).map(readPart);
  if (parts.length !== 3 || !header || !claims) return { number: 50027, text: 'JWT token is invalid or malformed.' };
  if (header.alg !== 'PS256' || header.typ !== 'JWT') return { number: 50027, text: `JWT token is invalid or malformed: alg ${header.alg}, typ ${header.typ}.` };
  const cert = azure.signIn.byThumbprint.get(header['x5t#S256']);
  if (!cert) return { number: 700027, text: `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '${header['x5t#S256']}']` };
  const key = { key: cert.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const isSigned = verify('sha256', Buffer.from(`${parts[0]}.${parts[1]}`), key, Buffer.from(parts[2], 'base64url'));
  if (!isSigned) return { number: 700027, text: 'Client assertion failed signature validation.' };

  const now_s = Date.now() / 1000;
  const url = `${azure.url}/${TENANT}/oauth2/v2.0/token`;
  if (claims.iss !== CLIENT_ID || claims.sub !== CLIENT_ID) return { number: 700021, text: "Client assertion application identifier doesn't match 'client_id' parameter." };
  if (claims.aud !== url) return { number: 700023, text: `Client assertion audience claim does not match Realm issuer: '${claims.aud}', expected '${url}'.` };
  if (!(claims.nbf <= now_s + SKEW_S && claims.exp > now_s - SKEW_S && claims.exp - claims.nbf <= 86400)) {
    return { number: 700024, text: 'Client assertion is not within its valid time range.' };
  }
  if (typeof claims.jti !== 'string' || claims.jti === '') return { number: 50027, text: "JWT token is invalid or malformed: 'jti'." };
  return { via: 'certificate' };
}

function readPart(part) {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}

export function entraError(request, status, error, number, text) {
  const trace_id = randomUUID();
  const correlation_id = request.headers['client-request-id'] ?? randomUUID();
  const timestamp = new Date().toISOString().slice(0, 19).replace('T', ' ').concat('Z');
  const error_description = `AADSTS${number}: ${text} Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`;
  const error_uri = `https://login.microsoftonline.com/error?code=${number}`;
  return jsonAnswer({ error, error_description, error_codes: [number], timestamp, trace_id, correlation_id, error_uri }, status);
}

// What a client may ask for before it signs in.
export function answerOpenidConfiguration(azure, tenant) {
  const base = `${azure.url}/${tenant}`;
  return jsonAnswer({
    token_endpoint: `${base}/oauth2/v2.0/token`, authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`, jwks_uri: `${base}/discovery/v2.0/keys`, issuer: `${base}/v2.0`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'], tenant_region_scope: 'EU',
  });
}

// --- GitHub ---

export function answerGithub(azure, request) {
  const { headers, query } = request;
  if (headers.authorization !== `Bearer ${azure.signIn.githubToken}`) return jsonAnswer({ message: 'Unauthorized' }, 401);
  if (query['api-version'] === undefined) return jsonAnswer({ message: 'no api-version' }, 400);
  const now_s = Math.floor(Date.now() / 1000);
  const aud = query.audience ?? 'https://github.com/octo-org';
  const value = newJwt({
    iss: GITHUB_ISSUER, aud, sub: 'repo:octo-org/octo-repo:ref:refs/heads/main', nbf: now_s - 600, iat: now_s, exp: now_s + 300,
  });
  azure.signIn.federated.set(value, { via: 'github', aud });
  return jsonAnswer({ count: value.length, value });
}

// --- Managed identities ---

// Numbers come as strings here, as in the older token endpoint.
export function answerImds(azure, request) {
  const { headers, query, method } = request;
  const deny = (status, error, error_description) => jsonAnswer({ error, error_description }, status);
  if (method !== 'GET') return deny(405, 'method_not_allowed', 'Only GET is supported');
  if (headers.metadata?.toLowerCase() !== 'true') return deny(400, 'invalid_request', 'Required metadata header not specified');
  if (headers['x-forwarded-for'] !== undefined) return deny(400, 'invalid_request', 'X-Forwarded-For is not allowed');
  if (query['api-version'] === undefined) return deny(400, 'invalid_request', 'Required query variable \'api-version\' is missing');
  if (!query.resource) return deny(400, 'invalid_request', 'Required query variable \'resource\' is missing');
  if (!audienceOf(azure, query.resource)) return deny(400, 'invalid_resource', `AADSTS500011: The resource principal named ${query.resource} was not found in the tenant named Stand-in.`);
  if ((query.client_id ?? CLIENT_ID) !== CLIENT_ID) return deny(400, 'invalid_request', 'Identity not found');
  const { token, expires_ms } = issue(azure, query.resource, 'imds');
  const seconds = String(azure.signIn.tokenSeconds);
  const [expires_on, not_before] = [expires_ms, Date.now()].map((ms) => String(Math.floor(ms / 1000)));
  return jsonAnswer({
    access_token: token, client_id: CLIENT_ID, expires_in: seconds, expires_on, ext_expires_in: seconds, not_before,
    resource: query.resource, token_type: 'Bearer',
  });
}

export function answerAppService(azure, request) {
  const { headers, query } = request;
  const deny = (statusCode, message) => jsonAnswer({ statusCode, message }, statusCode);
  if (headers['x-identity-header'] !== azure.signIn.identityHeader) return deny(401, 'Unauthorized');
  if (query['api-version'] !== '2019-08-01') return deny(400, 'Unsupported api-version');
  if (!query.resource || !audienceOf(azure, query.resource)) return deny(400, 'Invalid resource');
  if ((query.client_id ?? CLIENT_ID) !== CLIENT_ID) return deny(400, 'No User Assigned or Delegated Managed Identity found');
  const { token, expires_ms } = issue(azure, query.resource, 'app-service');
  const expires_on = String(Math.floor(expires_ms / 1000));
  return jsonAnswer({ access_token: token, client_id: CLIENT_ID, expires_on, resource: query.resource, token_type: 'Bearer' });
}

// --- Tokens ---

// ARM's own name for a resource, or undefined when it is not ARM.
function audienceOf(azure, resource) {
  const bare = resource.replace(/\/+$/, '');
  return [...AUDIENCES, azure.url].find((audience) => audience === bare);
}

function issue(azure, resource, via) {
  const expires_ms = Date.now() + azure.signIn.tokenSeconds * 1000;
  const token = newJwt({ aud: resource, appid: CLIENT_ID, oid: OBJECT_ID, tid: TENANT, exp: Math.floor(expires_ms / 1000) });
  const issued = { token, audience: resource, via, expires_ms };
  azure.signIn.byToken.set(token, issued);
  if (azure.keepRequests) azure.signIn.tokens.push(issued);
  return issued;
}

// It looks like a signed token, but nobody is to verify it.
function newJwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ typ: 'JWT', alg: 'RS256', kid: 'stand-in' })}.${part({ ...claims, jti: randomUUID() })}.${randomBytes(256).toString('base64url')}`;
}

export function expireTokens(azure) {
  for (const issued of azure.signIn.byToken.values()) issued.expires_ms = Math.min(issued.expires_ms, Date.now());
}

// undefined when the request's bearer token is good, else ARM's refusal.
export function checkBearer(azure, request) {
  const { authorization } = request.headers;
  const deny = (code, message, why) => refuse(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="${azure.url}/${TENANT}", error="invalid_token", error_description="${why}"`,
  });
  if (authorization === undefined) return deny('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.", "The authentication failed because of missing 'Authorization' header.");
  const [, token] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
  const issued = azure.signIn.byToken.get(token);
  if (!issued) return deny('InvalidAuthenticationToken', 'The access token is invalid.', 'Could not find identity for access token.');
  if (issued.expires_ms > Date.now()) return undefined;
  const [expiry, now] = [issued.expires_ms, Date.now()].map((ms) => new Date(ms).toLocaleString('en-US', { timeZone: 'UTC' }));
  return deny('ExpiredAuthenticationToken', `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${now}'.`, 'The access token has expired.');
}
