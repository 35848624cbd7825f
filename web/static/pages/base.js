/** On every page: the language links keep what stands behind the `#`, and `?lang=` leaves the address again. */

for (const link of document.querySelectorAll('.languages a')) {
  link.addEventListener('click', (event) => {
    event.preventDefault();
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    url.hash = location.hash;
    location.assign(url);
  });
}

const here = new URL(location.href);
if (here.searchParams.has('lang')) {
  here.searchParams.delete('lang');
  history.replaceState(history.state, '', here);
}
