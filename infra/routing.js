// CloudFront's viewer-request function: which file an address means. The sandbox has the same rules
// (sandbox/site/routing.py); one table of addresses is run through both. The three names in capitals
// are put in by `ops deploy`.
var FILES = {{FILES}};
var NOT_FOUND = {{NOT_FOUND}};
var HEADERS = {{HEADERS}};

function handler(event) {
  var request = event.request;
  var path;
  try {
    path = decodeURIComponent(request.uri);
  } catch (e) {
    return notFound();
  }
  var name = path.replace(/^\/+|\/+$/g, '');
  if (name.indexOf('password-reset/') === 0) {
    request.uri = '/password-reset.html';
    return request;
  }
  var page = name.replace(/\.html$/, '') || 'index';
  if (page !== '404' && FILES.indexOf(page + '.html') >= 0) {
    var address = page === 'index' ? '/' : '/' + page;
    if (path !== address) {
      return redirect(address + query(request.querystring));
    }
    request.uri = '/' + page + '.html';
    return request;
  }
  if (path === '/' + name && name !== '404.html' && FILES.indexOf(name) >= 0) {
    request.uri = '/' + name;
    return request;
  }
  return notFound();
}

function query(parameters) {
  var parts = [];
  Object.keys(parameters).forEach(function (name) {
    var given = parameters[name];
    (given.multiValue || [given]).forEach(function (each) {
      parts.push(each.value === '' ? name : name + '=' + each.value);
    });
  });
  return parts.length ? '?' + parts.join('&') : '';
}

function redirect(location) {
  var headers = { location: { value: location } };
  return { statusCode: 301, statusDescription: 'Moved Permanently', headers: withSecurity(headers) };
}

function notFound() {
  var headers = {
    'content-type': { value: 'text/html; charset=utf-8' },
    'cache-control': { value: 'no-cache' },
  };
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: withSecurity(headers),
    body: { encoding: 'text', data: NOT_FOUND },
  };
}

function withSecurity(headers) {
  Object.keys(HEADERS).forEach(function (name) {
    headers[name] = { value: HEADERS[name] };
  });
  return headers;
}
