"""The package's names, and its metadata."""

from importlib.metadata import entry_points, metadata, version

import pytest
import rdsign
from conftest import run

DRIVERS = ["asyncpg", "django", "psycopg", "psycopg2", "sqlalchemy"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_s_module_needs_no_import_of_its_own(driver):
    before = f"import rdsign, sys\nassert '{driver}' not in sys.modules and 'asyncio' not in sys.modules\n"
    assert run("-c", f"{before}print(rdsign.{driver}.__name__)") == f"rdsign.{driver}\n"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="^module 'rdsign' has no attribute 'typo'$"):
        print(rdsign.typo)
    assert not hasattr(rdsign, "_typo")


def test_dir_lists_what_users_need_and_no_more():
    listed = run("-c", "import rdsign; print(*dir(rdsign))").split()
    own = [name for name in listed if not name.startswith("_")]
    assert sorted({*own, "__version__"}) == sorted(rdsign.__all__)
    assert [name for name in listed if not hasattr(rdsign, name)] == []
    # help() reads every name of dir(), also where no driver is installed.
    run(
        "-c",
        "import pydoc, sys; sys.modules |= dict.fromkeys(['asyncpg', 'django', 'psycopg', 'psycopg2', 'sqlalchemy']); "
        "import rdsign; assert 'Signer' in pydoc.render_doc(rdsign)",
    )


def test_the_metadata_has_the_version_the_addresses_and_the_drivers():
    assert rdsign.__version__ == version("rdsign")
    data = metadata("rdsign")
    names = {line.partition(",")[0] for line in data.get_all("Project-URL")}
    assert names == {"Homepage", "Documentation", "Repository", "Changelog", "Issues"}
    assert sorted(data.get_all("Provides-Extra")) == sorted([*DRIVERS, "local"])
    assert all("extra ==" in line for line in data.get_all("Requires-Dist"))
    [plugin] = [point for point in entry_points(group="sqlalchemy.plugins") if point.name == "rdsign"]
    assert plugin.load() is rdsign.sqlalchemy.Plugin
