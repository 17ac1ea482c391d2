from tests.support.engines import docker_engine_fixture

__all__ = ["docker_engine_fixture"]
