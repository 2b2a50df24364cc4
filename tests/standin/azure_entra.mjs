// Entra's token endpoint of the stand-in Azure: client_credentials with a secret, with a certificate (a PS256 assertion
// whose claims are checked), or with a federated token that is known.
//
// Refuses in Entra's words, by the table ERRORS: { error, error_description: "AADSTS…", error_codes, timestamp,
// trace_id, correlation_id }. Fails: never throws on a client's input.

import { constants, randomUUID, verify } from 'node:crypto';
import { CLIENT_ID, EXCHANGE_AUDIENCE, jsonAnswer, TENANT } from './azure_rules.mjs';
import { audienceOf, issue } from './azure_sign_in.mjs';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SKEW_S = 300;
const LONGEST_S = 86400;

// AADSTS number -> status, error, text. %s stands for what the refusal names.
const ERRORS = {
  50027: [401, 'invalid_client', 'JWT token is invalid or malformed: %s.'],
  70003: [400, 'unsupported_grant_type', "The app requested an unsupported grant type '%s'."],
  90002: [400, 'invalid_request', "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are "
    + 'signing into the correct cloud. Check with your subscription administrator, this may happen if there are no '
    + 'active subscriptions for the tenant.'],
  90033: [503, 'temporarily_unavailable', 'A transient error has occurred. Please try again.'],
  500011: [400, 'invalid_resource', 'The resource principal named %s was not found in the tenant named Stand-in. This '
    + 'can happen if the application has not been installed by the administrator of the tenant or consented to by any '
    + 'user in the tenant. You might have sent your authentication request to the wrong tenant.'],
  700016: [400, 'unauthorized_client', "Application with identifier '%s' was not found in the directory 'Stand-in'. "
    + 'This can happen if the application has not been installed by the administrator of the tenant or consented to '
    + 'by any user in the tenant. You may have sent your authentication request to the wrong tenant.'],
  700021: [401, 'invalid_client', "Client assertion application identifier doesn't match 'client_id' parameter."],
  700023: [401, 'invalid_client', "Client assertion audience claim does not match Realm issuer: '%s'."],
  700024: [401, 'invalid_client', 'Client assertion is not within its valid time range.'],
  700027: [401, 'invalid_client', 'The certificate with identifier used to sign the client assertion is not registered '
    + "on application. [Reason - The key was not found., Thumbprint of key used by client: '%s']"],
  700212: [401, 'invalid_client', 'No matching federated identity record found for presented assertion audience '
    + "'%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."],
  900144: [400, 'invalid_request', "The request body must contain the following parameter: '%s'."],
  900561: [405, 'invalid_request', 'The endpoint only accepts POST requests. Received a %s request.'],
  1002012: [400, 'invalid_scope', 'The provided value for scope %s is not valid. Client credential flows must have a '
    + 'scope value with /.default suffixed to the resource identifier (application ID URI).'],
  7000215: [401, 'invalid_client', 'Invalid client secret provided. Ensure the secret being sent in the request is the '
    + "client secret value, not the client secret ID, for a secret added to app '%s'."],
  7000218: [401, 'invalid_client', 'The request body must contain the following parameter: '
    + "'client_assertion' or 'client_secret'."],
};

export function answerToken(azure, request, tenant) {
  const form = request.form ?? {};
  const deny = (number, named) => entraError(request, number, named);
  if (request.method !== 'POST') return deny(900561, request.method);
  if (tenant !== TENANT) return deny(90002, tenant);
  const missing = ['grant_type', 'client_id', 'scope'].find((name) => !form[name]);
  if (missing) return deny(900144, missing);
  if (form.grant_type !== 'client_credentials') return deny(70003, form.grant_type);
  if (form.client_id !== CLIENT_ID) return deny(700016, form.client_id);
  const proof = proofOf(azure, form);
  if (proof.number) return deny(proof.number, proof.named);

  const [, resource] = /^(\S+)\/\.default$/.exec(form.scope) ?? [];
  if (!resource) return deny(1002012, form.scope);
  if (!audienceOf(azure, resource)) return deny(500011, resource);
  const { token } = issue(azure, resource, proof.via);
  const seconds = azure.signIn.tokenSeconds;
  return jsonAnswer({ token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token });
}

// { via } when the client has shown who it is, else { number, named } of the refusal.
function proofOf(azure, { client_secret, client_assertion, client_assertion_type }) {
  if (client_assertion === undefined) {
    if (client_secret === undefined) return { number: 7000218 };
    return client_secret === azure.signIn.clientSecret ? { via: 'secret' } : { number: 7000215, named: CLIENT_ID };
  }
  if (client_assertion_type !== JWT_BEARER) return { number: 900144, named: 'client_assertion_type' };
  const federated = azure.signIn.federated.get(client_assertion);
  if (!federated) return checkAssertion(azure, client_assertion);
  return federated.aud === EXCHANGE_AUDIENCE ? { via: federated.via } : { number: 700212, named: federated.aud };
}

// What a certificate signed: the header, the signature, then the claims.
function checkAssertion(azure, assertion) {
  const parts = assertion.split('.');
  const [header, claims] = parts.slice(0, 2).map(readPart);
  if (parts.length !== 3 || !header || !claims) return { number: 50027, named: 'not a JWT' };
  const { alg, typ } = header;
  if (alg !== 'PS256' || typ !== 'JWT') return { number: 50027, named: `alg ${alg}, typ ${typ}` };
  const cert = azure.signIn.byThumbprint.get(header['x5t#S256']);
  if (!cert) return { number: 700027, named: header['x5t#S256'] };
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  const signature = Buffer.from(parts[2], 'base64url');
  if (!verify('sha256', signed, { key: cert.publicKey, padding, saltLength }, signature)) {
    return { number: 50027, named: 'the signature is wrong' };
  }
  return checkClaims(azure, claims);
}

function checkClaims(azure, { iss, sub, aud, nbf, exp, jti }) {
  const now_s = Date.now() / 1000;
  if (iss !== CLIENT_ID || sub !== CLIENT_ID) return { number: 700021 };
  if (aud !== `${azure.url}/${TENANT}/oauth2/v2.0/token`) return { number: 700023, named: aud };
  const isTimely = nbf <= now_s + SKEW_S && exp > now_s - SKEW_S && exp - nbf <= LONGEST_S;
  if (!isTimely) return { number: 700024 };
  if (typeof jti !== 'string' || jti === '') return { number: 50027, named: 'no jti' };
  return { via: 'certificate' };
}

function readPart(part) {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}

export function entraError(request, number, named = '', status = ERRORS[number][0]) {
  const [, error, text] = ERRORS[number];
  const trace_id = randomUUID();
  const correlation_id = request.headers['client-request-id'] ?? randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const ids = `Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`;
  const error_description = `AADSTS${number}: ${text.replace('%s', () => named)} ${ids}`;
  return jsonAnswer({ error, error_description, error_codes: [number], timestamp, trace_id, correlation_id }, status);
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
