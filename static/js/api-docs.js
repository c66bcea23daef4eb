// Shows the OpenAPI document. Who is signed in on this browser can try the calls as themselves.

const place = document.querySelector("[data-document]");
const { document: url, csrfToken } = place.dataset;

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

window.SwaggerUIBundle({
  url,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (new URL(request.url, location).origin === location.origin) request.headers["X-CSRFToken"] = csrfToken;
    return request;
  },
});
