import { Link } from 'react-router';
import { strings } from '../../strings';
import { buttonLook } from '../../ui/button';
import { useTitle } from '../../ui/screen';
import { Empty } from '../../ui/states';

export function NotFound() {
  useTitle(strings.errors.notFound);
  return (
    <Empty title={strings.errors.notFound} hint={strings.errors.notFoundHint} page>
      <Link to="/inbox" className={buttonLook('primary')}>
        {strings.errors.toInbox}
      </Link>
    </Empty>
  );
}
